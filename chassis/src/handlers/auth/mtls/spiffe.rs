//! SPIFFE IDs: the names that workloads have in their certificates (SPIFFE-ID §2).

/// The longest SPIFFE ID.
const LONGEST: usize = 2048;

/// How every one of them begins. Those of another case are not written by anybody who follows the standard.
pub(super) const SCHEME: &str = "spiffe://";

/// Whether a URI means to be a SPIFFE ID, whatever is wrong with it.
pub(super) fn claims(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("spiffe"))
}

/// The trust domain of a SPIFFE ID that names a workload; `None` if this is none.
pub(super) fn domain(id: &str) -> Option<&str> {
    let (domain, path) = id.strip_prefix(SCHEME)?.split_once('/')?;
    (id.len() <= LONGEST && is_domain(domain) && path.split('/').all(is_segment)).then_some(domain)
}

/// Whether this may be a trust domain.
pub(super) fn is_domain(domain: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    (1..=255).contains(&domain.len()) && domain.bytes().all(sound)
}

fn is_segment(segment: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !matches!(segment, "" | "." | "..") && segment.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_a_domain_and_a_workload() {
        assert_eq!(domain("spiffe://shop.example/ns/a/sa/b"), Some("shop.example"));
        assert_eq!(domain("spiffe://a_b-c.1/X.y_z-0"), Some("a_b-c.1"));
    }

    #[test]
    fn what_deviates_from_the_standard_is_none() {
        for id in [
            "spiffe://shop.example",
            "spiffe://shop.example/",
            "spiffe:///a",
            "spiffe://Shop.example/a",
            "SPIFFE://shop.example/a",
            "spiffe://shop.example:1/a",
            "spiffe://ada@shop.example/a",
            "spiffe://shop.example/a/",
            "spiffe://shop.example/a//b",
            "spiffe://shop.example/a/../b",
            "spiffe://shop.example/./b",
            "spiffe://shop.example/%61",
            "spiffe://shop.example/a?b",
            "spiffe://shop.example/a#b",
            "https://shop.example/a",
        ] {
            assert_eq!(domain(id), None, "{id}");
        }
        assert_eq!(domain(&format!("spiffe://shop.example/{}", "a".repeat(LONGEST))), None);
        assert!(claims("SPIFFE://x") && claims("spiffe:x") && !claims("spiffes://x") && !claims("urn:spiffe"));
    }
}
