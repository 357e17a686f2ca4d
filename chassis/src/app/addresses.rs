//! Proves that each listener can have its address: that no other wants it, which at the start would look as if another
//! process had it, and that there can be one.

use crate::conf::listing::Listing;
use crate::conf::path::KeyPath;
use crate::conf::{BuildError, Conf, Origin, Problem};
use crate::protocol::Listen;

/// An address that a listener wants, and who says so.
struct Wanted {
    key: String,
    listen: Listen,
    origin: Origin,
}

/// Every two addresses of these listeners and the one for operators that cannot both be had.
pub(super) fn clashes(conf: &Conf, listeners: &[String]) -> Vec<Problem> {
    let mut wanted = wanted(conf, listeners);
    // The later source is the one to change, and a default cannot be changed where it is.
    wanted.sort_by_key(|one| (one.origin != Origin::Default, one.origin.rank()));
    let pairs = wanted.iter().enumerate().flat_map(|(at, later)| {
        wanted[..at]
            .iter()
            .filter(|earlier| earlier.listen.overlaps(&later.listen))
            .map(move |earlier| (earlier, later))
    });
    pairs.map(|(earlier, later)| conf.problem("", &later.refused(earlier))).collect()
}

/// Every one of these addresses at which nobody could listen, as far as that can be found out without doing it.
pub(super) fn obstacles(conf: &Conf, listeners: &[String]) -> Vec<Problem> {
    let problem = |wanted: Wanted| {
        let error = wanted.listen.obstacle()?;
        Some(conf.problem("", &BuildError { at: wanted.key, ..error }))
    };
    wanted(conf, listeners).into_iter().filter_map(problem).collect()
}

fn wanted(conf: &Conf, listeners: &[String]) -> Vec<Wanted> {
    let listing = conf.listing();
    let protocols = KeyPath::root().key("protocols");
    let keys = listeners.iter().map(|name| protocols.key(name).key("listen").to_string());
    keys.chain(["admin.listen".to_owned()]).filter_map(|key| Wanted::find(&listing, key)).collect()
}

impl Wanted {
    fn find(listing: &Listing, key: String) -> Option<Self> {
        let listed = listing.values.iter().find(|listed| listed.key == key)?;
        let listen = listed.value.as_str()?.parse().ok()?;
        Some(Self { key, listen, origin: listed.origin.clone() })
    }

    fn refused(&self, earlier: &Self) -> BuildError {
        let Self { key, listen, origin } = earlier;
        let message = match *listen == self.listen {
            true => format!("`{key}` ({origin}) has this address, too: `{listen}`"),
            false => format!("`{}` and the `{listen}` of `{key}` ({origin}) overlap", self.listen),
        };
        BuildError::new(&*self.key, message).with_help("give one of the two another port or another address")
    }
}
