//! Which media types are worth encoding, as YAML lists them.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::conf::BuildError;

/// A media type, or several: `text/html`, `text/*`, `*+json`.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Type(String),
    /// All whose name begins so: `text/`.
    Main(String),
    /// All that are written in this: `+json`.
    Suffix(String),
}

impl Kind {
    pub(super) fn parse(text: &str, at: usize) -> Result<Self, BuildError> {
        let name = text.to_ascii_lowercase();
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
        };
        let kind = match name.split_once('/') {
            None => name.strip_prefix("*+").filter(|rest| is_token(rest)).map(|rest| Self::Suffix(format!("+{rest}"))),
            Some((main, "*")) => is_token(main).then(|| Self::Main(format!("{main}/"))),
            Some((main, sub)) => (is_token(main) && is_token(sub)).then_some(Self::Type(name)),
        };
        kind.ok_or_else(|| {
            BuildError::new(format!("types[{at}]"), format!("`{text}` is no media type"))
                .with_help("write `text/html`, `text/*` or `*+json`")
        })
    }

    pub(super) fn fits(&self, name: &str) -> bool {
        let begins = |with: &str| name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
        match self {
            Self::Type(known) => name.eq_ignore_ascii_case(known),
            Self::Main(known) => begins(known),
            Self::Suffix(known) => name.rfind('+').is_some_and(|at| name[at..].eq_ignore_ascii_case(known)),
        }
    }
}

/// The media type that header fields say, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    Some(headers.get(CONTENT_TYPE)?.to_str().ok()?.split(';').next()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Kind::parse(pattern, 0).unwrap().fits(name)
    }

    #[test]
    fn a_type_is_listed_by_its_name_its_main_type_or_its_suffix() {
        assert!(fits("application/json", "Application/JSON"));
        assert!(fits("text/*", "text/html") && fits("text/*", "TEXT/plain"));
        assert!(fits("*+json", "application/problem+json") && fits("*+json", "a/b+c+JSON"));
        assert!(!fits("application/json", "application/json5"));
        assert!(!fits("text/*", "image/text") && !fits("text/*", "text"));
        assert!(!fits("*+json", "application/json"));
    }

    #[test]
    fn what_is_no_media_type_is_refused_at_its_place() {
        for text in ["", "*", "*/*", "text", "*+", "text/", "/html", "text/html; charset=utf-8", "a/b/c"] {
            assert_eq!(Kind::parse(text, 3).map_err(|error| error.at), Err("types[3]".to_owned()), "{text}");
        }
    }
}
