//! The names of listeners in YAML: `rest`, or `rest-admin` for a further one of the same protocol.

use std::fmt;

use crate::conf::BuildError;

/// The name of a listener: its protocol, and what tells it apart from others of that protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerName<'a> {
    /// The protocol, such as `rest`.
    pub protocol: &'a str,
    /// What comes after the dash, such as `admin`; `None` for the first listener of the protocol.
    pub suffix: Option<&'a str>,
}

impl<'a> ListenerName<'a> {
    /// Reads a key below `protocols`.
    ///
    /// # Errors
    /// It is empty, has more than one dash, or has nothing on one side of it.
    pub fn parse(key: &'a str) -> Result<Self, BuildError> {
        let (protocol, suffix) = match key.split_once('-') {
            Some((protocol, suffix)) => (protocol, Some(suffix)),
            None => (key, None),
        };
        if is_word(protocol) && suffix.is_none_or(is_word) {
            return Ok(Self { protocol, suffix });
        }
        let message = format!("`{key}` is not the name of a listener");
        Err(BuildError::new("", message).with_help("write `rest`, or `rest-NAME` where NAME is letters and digits"))
    }
}

fn is_word(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl fmt::Display for ListenerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.protocol)?;
        self.suffix.map_or(Ok(()), |suffix| write!(f, "-{suffix}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_a_protocol_and_at_most_one_word_more() {
        let parse = |key| ListenerName::parse(key).ok();
        assert_eq!(parse("rest"), Some(ListenerName { protocol: "rest", suffix: None }));
        assert_eq!(parse("rest-admin"), Some(ListenerName { protocol: "rest", suffix: Some("admin") }));
        for wrong in ["", "-", "rest-", "-admin", "rest-admin-1", "rest admin", "rest.admin"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
