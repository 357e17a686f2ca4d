//! What a caller wants every service of a trace to know: the `baggage` field (W3C Baggage).

use std::borrow::Cow;

use http::HeaderMap;
use http::header::HeaderName;
use percent_encoding::percent_decode_str;

/// The header field (W3C Baggage §3.1).
pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// How many members are read; what comes after them is dropped (§3.3.2).
const MEMBERS: usize = 64;

/// How many bytes of members are read, with the commas between them (§3.3.2).
const BYTES: usize = 8192;

/// What a caller wants every service of a trace to know. Anyone can write it: it proves nothing, and what of it goes
/// on to other services only configuration says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baggage {
    // The members as they were sent, without the spaces around them, separated by commas.
    text: String,
}

impl Baggage {
    /// Reads all `baggage` fields as one. Members that are malformed are left out, as are those whose key was there
    /// before. `None` where nothing is left.
    pub fn parse(headers: &HeaderMap) -> Option<Self> {
        let fields = headers.get_all(BAGGAGE).iter().filter_map(|value| value.to_str().ok());
        let members = fields.flat_map(|text| text.split(',')).map(trimmed);
        Self::of(members.filter(|member| pair(member).is_some()))
    }

    /// The same without the members of other keys.
    #[must_use]
    pub fn only(&self, keys: &[String]) -> Option<Self> {
        let known = |member: &&str| pair(member).is_some_and(|(key, _)| keys.iter().any(|known| known == key));
        Self::of(self.members().filter(known))
    }

    /// The value of a key, percent-decoded; what is not UTF-8 in it is replaced.
    pub fn get(&self, key: &str) -> Option<Cow<'_, str>> {
        self.iter().find_map(|(known, value)| (known == key).then_some(value))
    }

    /// All keys and their values, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let pairs = self.members().filter_map(pair);
        pairs.map(|(key, value)| (key, percent_decode_str(value).decode_utf8_lossy()))
    }

    /// The members as one field value, properties included.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn members(&self) -> impl Iterator<Item = &str> {
        self.text.split(',').filter(|member| !member.is_empty())
    }

    fn of<'a>(members: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut text, mut keys) = (String::new(), Vec::new());
        for member in members {
            let key = pair(member).map_or("", |(key, _)| key);
            if keys.len() == MEMBERS || text.len() + 1 + member.len() > BYTES {
                break;
            }
            if keys.contains(&key) {
                continue;
            }
            keys.push(key);
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(member);
        }
        (!text.is_empty()).then_some(Self { text })
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The key and the value of a member that is well-formed (§3.3.1), without its properties.
fn pair(member: &str) -> Option<(&str, &str)> {
    let (pair, _) = member.split_once(';').unwrap_or((member, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trimmed(key), trimmed(value));
    let is_visible = |byte: u8| matches!(byte, b'!'..=b'~' | b' ' | b'\t') && !matches!(byte, b'"' | b',' | b'\\');
    let well_formed = is_token(key) && !value.contains([' ', '\t']) && member.bytes().all(is_visible);
    well_formed.then_some((key, value))
}

/// A token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn parse(values: &[&str]) -> Option<Baggage> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(BAGGAGE, HeaderValue::from_str(value).unwrap());
        }
        Baggage::parse(&headers)
    }

    #[test]
    fn members_of_all_fields_are_read_in_their_order() {
        let said =
            parse(&["tenant = gold ; ttl=5 , user=Ad%C3%A9 %20", "empty=, tenant=other", "user=%41d%C3%A9"]).unwrap();
        assert_eq!(
            said.iter().collect::<Vec<_>>(),
            [("tenant", "gold".into()), ("empty", "".into()), ("user", Cow::from("Adé"))]
        );
        assert_eq!((said.get("tenant").as_deref(), said.get("Tenant")), (Some("gold"), None));
        assert_eq!(said.as_str(), "tenant = gold ; ttl=5,empty=,user=%41d%C3%A9", "properties go along");
    }

    #[test]
    fn what_is_malformed_is_left_out() {
        for text in ["", ",", "a", "=1", "a b=1", "a=1 2", "a=\"1\"", "a=\\", "(a)=1", "a=é"] {
            assert_eq!(parse(&[text]), None, "{text}");
        }
        assert_eq!(parse(&["a b=1,c=2,"]).unwrap().as_str(), "c=2");
    }

    #[test]
    fn only_keys_that_are_known_are_kept() {
        let said = parse(&["a=1,b=2,c=3"]).unwrap();
        assert_eq!(said.only(&["c".to_owned(), "a".to_owned()]).unwrap().as_str(), "a=1,c=3");
        assert_eq!(said.only(&["d".to_owned()]), None);
    }

    #[test]
    fn what_is_beyond_64_members_or_8192_bytes_is_dropped() {
        let many = (0..70).map(|at| format!("k{at}=1")).collect::<Vec<_>>().join(",");
        assert_eq!(parse(&[&many]).unwrap().iter().count(), MEMBERS);
        let long = |length| format!("k={}", "v".repeat(length - 2));
        assert!(parse(&[&long(BYTES - 1)]).is_some() && parse(&[&long(BYTES)]).is_none());
        let two = parse(&[&long(5000), &format!("l={}", "v".repeat(5000))]).unwrap();
        assert_eq!(two.as_str().len(), 5000);
    }

    proptest! {
        #[test]
        fn what_is_passed_on_is_read_again(text in "[ -~]{0,60}") {
            let once = parse(&[&text]);
            prop_assert!(once.as_ref().is_none_or(|said| parse(&[said.as_str()]) == once));
        }
    }
}
