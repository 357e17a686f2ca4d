//! What YAML says about calls from other origins, and what would be wrong or unsafe.

use http::HeaderName;

use crate::condition;
use crate::conf;
use crate::conf::{BuildError, Interval};
use crate::invocation::is_host_of_origin;

/// Whose pages may call, and what they may send and read.
#[conf]
#[derive(PartialEq)]
pub struct Conf {
    /// The origins whose pages may call, as browsers write them: `https://app.example`, with the port if it is not
    /// the usual one. `*` alone lets all of them call, `null` pages without an origin, which any page can make with a
    /// sandboxed frame. Nobody by default.
    #[conf(default)]
    pub origins: Vec<String>,
    /// Whether pages may send cookies, client certificates and `Authorization` from the browser's store. Not with
    /// `*` or `null`: that would hand every page what its visitor may see.
    #[conf(default)]
    pub credentials: bool,
    /// The methods pages may use, or `*`. What an operation does not have stays refused.
    #[conf(default = texts(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]))]
    pub methods: Vec<String>,
    /// The request header fields pages may set beyond the usual ones, such as `Authorization`, or `*` for all but
    /// that. `Content-Type` must be listed for JSON.
    #[conf(default = texts(&["Authorization", "Content-Type"]))]
    pub headers: Vec<String>,
    /// The reply header fields pages may read beyond the usual ones, or `*`.
    #[conf(default)]
    pub expose_headers: Vec<String>,
    /// How long browsers may remember the answer to a preflight.
    #[conf(default = Interval::mins(10))]
    pub max_age: Interval,
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().copied().map(str::to_owned).collect()
}

impl Conf {
    /// Says what is wrong or unsafe.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        each("origins", &self.origins, origin)?;
        each("methods", &self.methods, |text| condition::method(text).map(drop))?;
        each("headers", &self.headers, header)?;
        each("expose-headers", &self.expose_headers, header)?;
        if self.origins.len() > 1 && self.origins.iter().any(|origin| origin == "*") {
            return Err(
                BuildError::new("origins", "`*` is every origin already").with_help("list `*` alone, or drop it")
            );
        }
        self.check_credentials()
    }

    /// Whose credentials are read by pages that nobody listed.
    fn check_credentials(&self) -> Result<(), BuildError> {
        if !self.credentials {
            return Ok(());
        }
        if let Some(at) = self.origins.iter().position(|origin| origin == "null") {
            let message = "`null` cannot be combined with `credentials`: every page can send it from a sandboxed frame";
            return Err(BuildError::new(format!("origins[{at}]"), message)
                .with_help("list the origins that may read what their visitors may, or set `credentials: false`"));
        }
        let lists = [
            ("origins", &self.origins),
            ("methods", &self.methods),
            ("headers", &self.headers),
            ("expose-headers", &self.expose_headers),
        ];
        match lists.into_iter().find(|(_, list)| list.iter().any(|name| name == "*")) {
            Some((key, _)) => Err(BuildError::new(key, "`*` cannot be combined with `credentials` (Fetch §3.2.5)")
                .with_help("list each one, or set `credentials: false`")),
            None => Ok(()),
        }
    }
}

fn each(key: &str, texts: &[String], check: fn(&str) -> Result<(), BuildError>) -> Result<(), BuildError> {
    for (at, text) in texts.iter().enumerate().filter(|(_, text)| *text != "*") {
        check(text).map_err(|error| error.below(&format!("{key}[{at}]")))?;
    }
    Ok(())
}

/// What is wrong with a text.
fn wrong<T>(text: &str, message: &str, help: impl Into<String>) -> Result<T, BuildError> {
    Err(BuildError::new("", format!("`{text}` {message}")).with_help(help))
}

/// Checks that an origin is written as browsers write it, because it is compared as text.
fn origin(text: &str) -> Result<(), BuildError> {
    if text == "null" {
        return Ok(());
    }
    let complaint = |message: &str, write: &str| wrong(text, message, format!("write `{write}`"));
    let Some((scheme, authority)) = text.split_once("://") else {
        return complaint("has no scheme", &format!("https://{text}"));
    };
    if text.contains('*') {
        let help = "list each origin, or `*` alone for all of them";
        return wrong(text, "has a wildcard; origins are compared as they are", help);
    }
    let host = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if host != authority {
        return complaint("has a path; an origin is scheme, host and port", &format!("{scheme}://{host}"));
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return complaint("has capital letters, which browsers do not send", &text.to_ascii_lowercase());
    }
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    match authority.strip_suffix(usual).filter(|_| !usual.is_empty()) {
        Some(host) => complaint("names the usual port, which browsers leave out", &format!("{scheme}://{host}")),
        None if !is_authority(scheme, authority) => {
            complaint("is not an origin", "https://app.example` or `https://app.example:8443")
        }
        None => Ok(()),
    }
}

fn is_authority(scheme: &str, authority: &str) -> bool {
    let is_scheme =
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme && is_host_of_origin(authority)
}

fn header(text: &str) -> Result<(), BuildError> {
    match text.parse::<HeaderName>() {
        Ok(_) => Ok(()),
        Err(_) => wrong(text, "is not a header name", "a header name has letters, digits and hyphens"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(origins: &[&str]) -> Option<(String, String)> {
        let origins = origins.iter().copied().map(str::to_owned).collect();
        let error = Conf { origins, ..Conf::default() }.check().err()?;
        Some((error.to_string(), error.help.unwrap_or_default()))
    }

    fn check(origin: &str, message: &str, help: &str) {
        assert_eq!(complaint(&[origin]), Some((format!("`origins[0]`: `{origin}` {message}"), help.to_owned())));
    }

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        let fine = ["https://app.example", "http://localhost:3000", "http://[::1]:3000", "app+x://host", "null"];
        assert_eq!(complaint(&fine), None);
        check("app.example", "has no scheme", "write `https://app.example`");
        check("https://app.example/", "has a path; an origin is scheme, host and port", "write `https://app.example`");
        check("https://App.example", "has capital letters, which browsers do not send", "write `https://app.example`");
        check(
            "https://app.example:443",
            "names the usual port, which browsers leave out",
            "write `https://app.example`",
        );
        check(
            "https://*.example",
            "has a wildcard; origins are compared as they are",
            "list each origin, or `*` alone for all of them",
        );
        for odd in [
            "https://",
            "://app.example",
            "https://a b",
            "https://user@app.example",
            "https://app.example:99999",
            "https://app.example:",
            "https://app.example:08443",
        ] {
            check(odd, "is not an origin", "write `https://app.example` or `https://app.example:8443`");
        }
    }

    #[test]
    fn a_wildcard_stands_alone_and_never_with_credentials() {
        assert_eq!(complaint(&["*"]), None);
        assert!(complaint(&["*", "https://app.example"]).is_some());
        let star = || vec!["*".to_owned()];
        let safe = Conf { origins: vec!["https://app.example".to_owned()], credentials: true, ..Conf::default() };
        assert_eq!(safe.check(), Ok(()));
        for unsafe_conf in [
            Conf { origins: star(), ..safe.clone() },
            Conf { methods: star(), ..safe.clone() },
            Conf { headers: star(), ..safe.clone() },
            Conf { expose_headers: star(), ..safe },
        ] {
            let message = unsafe_conf.check().map_err(|error| error.message);
            assert_eq!(message, Err("`*` cannot be combined with `credentials` (Fetch §3.2.5)".to_owned()));
        }
    }

    #[test]
    fn pages_without_an_origin_never_send_credentials() {
        let origins = ["https://app.example", "null"].map(str::to_owned).to_vec();
        let error = Conf { origins, credentials: true, ..Conf::default() }.check().unwrap_err();
        let message = "`null` cannot be combined with `credentials`: every page can send it from a sandboxed frame";
        let help = "list the origins that may read what their visitors may, or set `credentials: false`";
        assert_eq!((&*error.at, &*error.message, error.help.as_deref()), ("origins[1]", message, Some(help)));
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        let with = |conf: Conf| conf.check().err().map(|error| error.at);
        assert_eq!(with(Conf { methods: vec!["get".to_owned()], ..Conf::default() }).as_deref(), Some("methods[0]"));
        assert_eq!(with(Conf { methods: vec!["GE T".to_owned()], ..Conf::default() }).as_deref(), Some("methods[0]"));
        assert_eq!(with(Conf { methods: vec!["purge".to_owned()], ..Conf::default() }), None);
        assert_eq!(with(Conf { headers: vec!["a b".to_owned()], ..Conf::default() }).as_deref(), Some("headers[0]"));
    }
}
