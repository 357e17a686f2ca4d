//! The addresses that calls may go to.

use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

use crate::conf::BuildError;

/// Whether calls may go out as anyone on the way can read and change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Only to this machine.
    Required,
    /// To anywhere: YAML says so.
    Optional,
}

/// Reads an absolute `https` address; `http` where the other side is this machine, or encryption is optional.
///
/// # Errors
/// Why no call may go there.
pub fn address(text: &str, encryption: Encryption) -> Result<Uri, BuildError> {
    // What stands before an `@` may be a password, even where it is none of the address, and a query may hold a key.
    let shown = match text.split_once('?') {
        _ if text.contains('@') => "this".to_owned(),
        Some((before, _)) => format!("`{before}?***`"),
        None => format!("`{text}`"),
    };
    let wrong = |message: String, help: &str| Err(BuildError::new("", message).with_help(help));
    let Some(uri) = text.parse::<Uri>().ok().filter(|uri| uri.host().is_some_and(|host| !host.is_empty())) else {
        return wrong(format!("{shown} is no address"), "write it whole: `https://id.example/path`");
    };
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        // What it says is not repeated: it may be a password.
        return wrong("the address holds a user or a password".to_owned(), "remove all before the `@`");
    }
    let open = uri.scheme() == Some(&Scheme::HTTP);
    match uri.scheme() {
        scheme if scheme == Some(&Scheme::HTTPS) => Ok(uri),
        _ if open && (encryption == Encryption::Optional || is_here(&uri)) => Ok(uri),
        _ if open => wrong(
            format!("{shown} is not encrypted: whoever stands in between could answer in its place"),
            "write `https://…`, or say `insecure: true` beside it if nobody can stand there",
        ),
        _ => wrong(format!("{shown} is neither https nor http"), "write it whole: `https://id.example/path`"),
    }
}

/// Whether the other side is this machine.
fn is_here(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        address(text, Encryption::Required).unwrap_err().message
    }

    #[test]
    fn calls_go_out_encrypted_or_to_this_machine() {
        for text in ["https://id.example/a", "http://127.0.0.1:1/a", "http://[::1]:1/", "http://localhost/"] {
            assert_eq!(address(text, Encryption::Required).unwrap().to_string(), text);
        }
        assert!(refused("http://id.example/a").starts_with("`http://id.example/a` is not encrypted"));
        assert!(refused("http://127.0.0.1.id.example/").contains("is not encrypted"));
        assert!(address("http://id.example/a", Encryption::Optional).is_ok());
    }

    #[test]
    fn what_is_no_address_of_http_is_refused() {
        for text in ["", "/a", "id.example/a", "file:///etc/passwd", "https://"] {
            assert!(refused(text).ends_with("is no address"), "{text}: {}", refused(text));
        }
        assert_eq!(refused("id.example"), "`id.example` is neither https nor http");
        assert_eq!(refused("ftp://id.example/a"), "`ftp://id.example/a` is neither https nor http");
        let secret = refused("https://ada:lovelace@id.example/");
        assert!(secret.contains("a password") && !secret.contains("lovelace"), "{secret}");
        assert_eq!(refused("https://ada:lovelace@"), "this is no address");
        let secret = refused("http://ada:love/lace@id.example/");
        assert!(secret.starts_with("this is not encrypted"), "{secret}");
        let secret = refused("http://id.example/a?key=lovelace");
        assert!(secret.starts_with("`http://id.example/a?***` is not encrypted"), "{secret}");
        assert_eq!(refused("id.example/a?key=lovelace"), "`id.example/a?***` is no address");
    }
}
