//! Why an address could not be taken, and what to do about it.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::conf::BuildError;
use crate::protocol::Listen;

/// Why an address could not be taken, and what to do about it.
pub(super) fn refused(listen: &Listen, error: &io::Error) -> BuildError {
    let help = match listen {
        Listen::Unix(path) => for_path(path, error.kind()),
        Listen::Name(..) if error.kind() == ErrorKind::NotFound => {
            "this machine knows no address by that name: check its spelling, or write an address of this machine"
                .to_owned()
        }
        Listen::Name(_, port) | Listen::All(port) => for_port(*port, error.kind()),
        Listen::Ip(address) => for_port(address.port(), error.kind()),
    };
    BuildError::new("listen", format!("`{listen}` cannot be taken: {error}")).with_help(help)
}

fn for_port(port: u16, kind: ErrorKind) -> String {
    match kind {
        ErrorKind::AddrInUse => format!(
            "another process listens there: stop it (`ss -ltnp 'sport = {port}'` shows which it is), or choose another \
             port"
        ),
        ErrorKind::AddrNotAvailable => format!(
            "this machine does not have that address: use one of its own, or `:{port}` for every address it has"
        ),
        ErrorKind::PermissionDenied => {
            "this user may not listen there: choose a port from 1024 up, or grant the process the capability \
             CAP_NET_BIND_SERVICE"
                .to_owned()
        }
        _ => format!("choose an address of this machine, or `:{port}` for every address it has"),
    }
}

fn for_path(path: &Path, kind: ErrorKind) -> String {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.display();
    match kind {
        ErrorKind::AddrInUse => "another process listens there: stop it, or choose another path".to_owned(),
        ErrorKind::NotFound => format!("the folder `{folder}` is not there: create it, or choose another path"),
        ErrorKind::PermissionDenied => {
            format!("let the user that the process runs as write to the folder `{folder}`, or choose another path")
        }
        ErrorKind::IsADirectory => format!("name a file in it: `unix:{}/NAME.sock`", path.display()),
        ErrorKind::AlreadyExists => "remove it if nobody needs it, or choose another path".to_owned(),
        ErrorKind::InvalidInput => format!("the path of a socket has at most {LONGEST} bytes: choose a shorter one"),
        _ => "choose another path".to_owned(),
    }
}

/// What the system has room for (`sun_path` of unix(7)), less the zero at its end.
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
