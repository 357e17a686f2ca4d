//! Why nobody could listen at an address, as far as that can be found out without listening there.

use std::net::ToSocketAddrs;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use super::Listen;
use crate::conf::BuildError;

impl Listen {
    /// Why nobody could listen here, seen from this machine and its files. Looks names up and waits for the answer.
    pub fn obstacle(&self) -> Option<BuildError> {
        match self {
            Self::All(_) | Self::Ip(_) => None,
            Self::Name(name, port) => unknown(name, *port),
            Self::Unix(path) => blocked(path),
        }
    }
}

fn unknown(name: &str, port: u16) -> Option<BuildError> {
    let why = match (name, port).to_socket_addrs().map(|addresses| addresses.len()) {
        Ok(0) => "it stands for no address".to_owned(),
        Ok(_) => return None,
        Err(error) => error.to_string(),
    };
    let error = BuildError::new("listen", format!("nobody can listen at `{name}`: {why}"));
    Some(error.with_help(format!(
        "write an address of this machine, such as `127.0.0.1:{port}` or `:{port}`, or a name that this machine knows"
    )))
}

fn blocked(path: &Path) -> Option<BuildError> {
    let error = |message: String, help: &str| Some(BuildError::new("listen", message).with_help(help));
    if SocketAddr::from_pathname(path).is_err() {
        let message = format!("`{}` is too long for the path of a socket", path.display());
        return error(message, "choose a shorter path: systems allow about 100 bytes");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let message = format!("no socket can be made in `{}`: there is no such directory", folder.display());
        return error(message, "create it before the service starts, or name a path in one that is there");
    }
    let found = path.symlink_metadata().ok()?;
    if found.file_type().is_socket() {
        return None;
    }
    let message = format!("no socket can be made at `{}`: something that is not a socket is there", path.display());
    error(message, "remove it, or choose another path")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle(listen: &str) -> Option<String> {
        listen.parse::<Listen>().unwrap().obstacle().map(|error| error.message)
    }

    #[test]
    fn addresses_and_names_that_are_known_are_no_obstacle() {
        for listen in [":80", "127.0.0.1:80", "[::1]:80", "localhost:80", "unix:new.sock"] {
            assert_eq!(obstacle(listen), None, "{listen}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_one() {
        // Too long for a name (RFC 1035 §2.3.4), so that nobody else has to be asked.
        let name = "x".repeat(64);
        let message = obstacle(&format!("{name}:80")).unwrap();
        assert!(message.starts_with(&format!("nobody can listen at `{name}`: ")), "{message}");
    }

    #[test]
    fn a_socket_needs_its_directory_and_its_path_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        let at = |file: &str| format!("unix:{}", folder.path().join(file).display());
        assert!(obstacle(&at("none/a.sock")).unwrap().ends_with("/none`: there is no such directory"));
        assert_eq!(obstacle(&at("a.sock")), None);
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(obstacle(&at("file")).unwrap().ends_with("/file`: something that is not a socket is there"));
        assert!(obstacle(&at("file/a.sock")).unwrap().ends_with("/file`: there is no such directory"));
        assert!(obstacle(&at(&"x".repeat(200))).unwrap().ends_with("is too long for the path of a socket"));
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("stale.sock")).unwrap();
        assert_eq!(obstacle(&at("stale.sock")), None);
    }
}
