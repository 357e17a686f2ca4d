//! What tracing systems add to a trace context: the `tracestate` field (Trace Context level 2, §3.3).

use http::HeaderMap;

use super::TRACESTATE;

/// How many members are passed on; those after them are dropped (§3.3.1.1).
const MEMBERS: usize = 32;

/// The members of `tracestate`, checked, in their order. Passed on only beside a valid `traceparent`
/// ([`Call::tracestate`](crate::invocation::Call::tracestate)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceState(String);

impl TraceState {
    /// Reads all `tracestate` fields as one. `None` where there is none, it holds nothing, or a member is malformed
    /// or named twice: then nothing is passed on.
    pub fn parse(headers: &HeaderMap) -> Option<Self> {
        let mut state = String::new();
        let mut keys = Vec::new();
        for value in headers.get_all(TRACESTATE) {
            let members = value.to_str().ok()?.split(',').map(|member| member.trim_matches([' ', '\t']));
            for member in members.filter(|member| !member.is_empty()) {
                if keys.len() == MEMBERS {
                    return Some(Self(state));
                }
                let key = key_of(member).filter(|key| !keys.contains(key))?;
                keys.push(key);
                if !state.is_empty() {
                    state.push(',');
                }
                state.push_str(member);
            }
        }
        (!state.is_empty()).then_some(Self(state))
    }

    /// The members as one field value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of a member that is well-formed.
fn key_of(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    (is_key(key.as_bytes()) && is_value(value.as_bytes())).then_some(key)
}

fn is_key(key: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    key.len() <= 256
        && key.first().is_some_and(letter)
        && key.iter().all(|byte| letter(byte) || b"_-*/@".contains(byte))
}

fn is_value(value: &[u8]) -> bool {
    (1..=256).contains(&value.len()) && value.iter().all(|byte| matches!(byte, b' '..=b'~' if *byte != b'='))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn parse(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACESTATE, HeaderValue::from_str(value).unwrap());
        }
        TraceState::parse(&headers).map(|state| state.0)
    }

    #[test]
    fn several_fields_are_one_list() {
        let one = parse(&["rojo=00f067aa0ba902b7 ,, congo=t61r cWkgMzE", "a@b=1"]);
        assert_eq!(one.as_deref(), Some("rojo=00f067aa0ba902b7,congo=t61r cWkgMzE,a@b=1"));
    }

    #[test]
    fn a_malformed_member_spoils_the_list() {
        for value in ["", ",", "a", "a=", "=1", "A=1", "a=1=2", "a=1,a=2", "a b=1", "é=1"] {
            assert_eq!(parse(&[value]), None, "{value}");
        }
        assert_eq!(parse(&[&format!("{}=1", "k".repeat(257))]), None);
        assert_eq!(parse(&[&format!("k={}", "v".repeat(257))]), None);
    }

    #[test]
    fn members_after_the_32nd_are_dropped() {
        let members = |count: usize| (0..count).map(|at| format!("k{at}={at}")).collect::<Vec<_>>().join(",");
        assert_eq!(parse(&[&members(40)]), Some(members(32)));
    }

    proptest! {
        #[test]
        fn what_is_passed_on_is_read_again(bytes in proptest::collection::vec(b' '..=b'~', 0..60)) {
            let once = parse(&[std::str::from_utf8(&bytes).unwrap()]);
            prop_assert!(once.as_ref().is_none_or(|state| parse(&[state]) == once));
        }
    }
}
