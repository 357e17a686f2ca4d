//! Proves that no two listeners want one address: at the start it would look as if another process had it.

use crate::conf::listing::Listing;
use crate::conf::origin::Origin;
use crate::conf::path::KeyPath;
use crate::conf::{BuildError, Conf, Problem};
use crate::protocol::Listen;

/// An address that a listener wants, and who says so.
struct Wanted {
    key: String,
    listen: Listen,
    origin: Origin,
}

/// Every two addresses of these listeners and the one for operators that cannot both be had.
pub(super) fn clashes<'a>(conf: &Conf, listeners: impl IntoIterator<Item = &'a str>) -> Vec<Problem> {
    let listing = conf.listing();
    let protocols = KeyPath::root().key("protocols");
    let keys = listeners.into_iter().map(|name| protocols.key(name).key("listen").to_string());
    let mut wanted: Vec<_> =
        keys.chain(["admin.listen".to_owned()]).filter_map(|key| Wanted::find(&listing, key)).collect();
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
