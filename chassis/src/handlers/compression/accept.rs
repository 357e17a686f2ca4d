//! Which coding a caller likes best of those it may have (RFC 9110 §12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

use super::coding::Coding;

/// What becomes of the body of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is sent as it is.
    Plain,
    /// It is encoded, if that is worth it.
    Encoded(Coding),
    /// It must be encoded: the caller does not take it as it is.
    OnlyEncoded(Coding),
    /// Nothing that can be sent is taken.
    Nothing,
}

/// In thousandths, as fine as the field can say.
type Weight = u16;

/// What the field says.
#[derive(Default)]
struct Said {
    codings: [Option<Weight>; Coding::ALL.len()],
    identity: Option<Weight>,
    others: Option<Weight>,
}

/// Chooses among `offered`, the best first. A caller that says nothing gets the body as it is: it may not know any
/// coding.
pub(super) fn choose(headers: &HeaderMap, offered: &[Coding]) -> Choice {
    if !headers.contains_key(ACCEPT_ENCODING) {
        return Choice::Plain;
    }
    let said = Said::read(headers);
    let weight = |coding: &Coding| said.codings[*coding as usize].or(said.others).unwrap_or(0);
    // The first of those that are liked as much.
    let best = offered.iter().rev().max_by_key(|coding| weight(coding)).filter(|coding| weight(coding) > 0);
    let refuses_plain = said.identity.or(said.others) == Some(0);
    match best {
        None if refuses_plain => Choice::Nothing,
        None => Choice::Plain,
        Some(coding) if refuses_plain => Choice::OnlyEncoded(*coding),
        Some(coding) if said.identity.is_some_and(|plain| plain > weight(coding)) => Choice::Plain,
        Some(coding) => Choice::Encoded(*coding),
    }
}

impl Said {
    fn read(headers: &HeaderMap) -> Self {
        let mut said = Self::default();
        let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for (name, weight) in values.flat_map(|value| value.split(',')).filter_map(element) {
            match name {
                "*" => said.others = Some(weight),
                name if name.eq_ignore_ascii_case("identity") => said.identity = Some(weight),
                name => {
                    if let Some(coding) = Coding::parse(name) {
                        said.codings[coding as usize] = Some(weight);
                    }
                }
            }
        }
        said
    }
}

/// The name and weight of an element such as `gzip;q=0.5`. One whose weight is none counts as if it was not there.
fn element(text: &str) -> Option<(&str, Weight)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    match parts.next() {
        None => Some((name, 1000)),
        Some(parameter) => {
            let weight = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
            Some((name, thousandths(weight)?))
        }
    }
}

/// RFC 9110 §12.4.2: `0`, `0.` to `0.999`, `1`, `1.` to `1.000`.
fn thousandths(text: &str) -> Option<Weight> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = format!("{part:0<3}").parse::<Weight>().ok()?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFERED: [Coding; 3] = [Coding::Zstd, Coding::Br, Coding::Gzip];

    fn chosen(said: &str) -> Choice {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, said.parse().unwrap());
        choose(&headers, &OFFERED)
    }

    #[test]
    fn the_caller_decides_and_among_equals_the_order_does() {
        for (said, expected) in [
            ("gzip", Choice::Encoded(Coding::Gzip)),
            ("x-gzip", Choice::Encoded(Coding::Gzip)),
            ("gzip, br", Choice::Encoded(Coding::Br)),
            ("gzip;q=1, br;q=0.9", Choice::Encoded(Coding::Gzip)),
            ("GZIP;Q=0.5 , br;q=0.001", Choice::Encoded(Coding::Gzip)),
            ("*", Choice::Encoded(Coding::Zstd)),
            ("*, zstd;q=0", Choice::Encoded(Coding::Br)),
            ("deflate, compress", Choice::Plain),
            ("", Choice::Plain),
            ("gzip;q=0", Choice::Plain),
            ("gzip;q=2, br;q=0.1234, zstd;level=1", Choice::Plain),
            ("gzip;q=0.5, identity", Choice::Plain),
            ("gzip;q=0.5, identity;q=0.5", Choice::Encoded(Coding::Gzip)),
            ("gzip, identity;q=0", Choice::OnlyEncoded(Coding::Gzip)),
            ("gzip, *;q=0", Choice::OnlyEncoded(Coding::Gzip)),
            ("identity;q=0", Choice::Nothing),
            ("*;q=0", Choice::Nothing),
            ("*;q=0, identity;q=0.1", Choice::Plain),
            ("deflate, identity;q=0.000", Choice::Nothing),
        ] {
            assert_eq!(chosen(said), expected, "{said}");
        }
        assert_eq!(choose(&HeaderMap::new(), &OFFERED), Choice::Plain);
    }

    #[test]
    fn a_list_may_be_spread_over_several_fields() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, "gzip".parse().unwrap());
        headers.append(ACCEPT_ENCODING, "identity;q=0".parse().unwrap());
        assert_eq!(choose(&headers, &OFFERED), Choice::OnlyEncoded(Coding::Gzip));
    }

    proptest! {
        #[test]
        fn whatever_is_sent_a_coding_that_was_not_offered_is_never_chosen(said in "[a-z*;=,. 0-9]{0,40}") {
            let coding = match chosen(&said) {
                Choice::Encoded(coding) | Choice::OnlyEncoded(coding) => Some(coding),
                Choice::Plain | Choice::Nothing => None,
            };
            prop_assert!(coding.is_none_or(|coding| OFFERED.contains(&coding)));
        }
    }
}
