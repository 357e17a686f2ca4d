//! Knows callers by the digests of their API keys.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::refusal::Refusal;
use super::roster::{self, Line};
use crate::conf::BuildError;
use crate::principal::Principal;

/// The longest key that is looked at.
const LONGEST: usize = 512;

/// The callers that API keys were handed out to.
pub(super) struct ApiKeys(HashMap<Digest, Principal>);

/// The SHA-256 of a key. Keys are random and long, so nobody finds one by trying what has this digest.
#[derive(Eq)]
struct Digest([u8; SHA256_OUTPUT_LEN]);

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Digest {
    fn of(key: &[u8]) -> Option<Self> {
        digest(&SHA256, key).as_ref().try_into().ok().map(Self)
    }

    /// Reads 64 hexadecimal digits.
    fn parse(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4 | digit(*low)?) as u8);
        let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
        bytes.try_into().ok().map(Self)
    }
}

impl ApiKeys {
    /// Reads a file of keys, a line each.
    pub(super) fn parse(content: &[u8]) -> Result<Self, BuildError> {
        let mut known = HashMap::new();
        for line in roster::lines(content)? {
            if known.insert(proof(&line)?, line.principal("api-key")).is_some() {
                return Err(line.wrong("has a digest that another line has", "hand out a key of its own to each"));
            }
        }
        Ok(Self(known))
    }

    /// Whose key this is.
    pub(super) fn find(&self, key: &[u8]) -> Result<Principal, Refusal> {
        let digest = Some(key).filter(|key| !key.is_empty() && key.len() <= LONGEST).and_then(Digest::of);
        digest.and_then(|digest| self.0.get(&digest)).cloned().ok_or(Refusal::ApiKey)
    }
}

fn proof(line: &Line<'_>) -> Result<Digest, BuildError> {
    let digest = line.proof.strip_prefix("sha256:").and_then(Digest::parse);
    digest.ok_or_else(|| {
        line.wrong(
            "has no digest of a key after its name",
            "write `NAME:sha256:` and what `printf %s KEY | sha256sum` says; if the key itself stands there, replace it",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf %s secret | sha256sum`
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn wrong(content: &str) -> String {
        ApiKeys::parse(content.as_bytes()).err().unwrap().to_string()
    }

    #[test]
    fn a_key_is_known_by_its_digest() {
        let upper = SECRET.to_uppercase();
        for digest in [SECRET, &upper] {
            let file = format!("# keys\n\nbilling:sha256:{digest} scopes=read,a:b roles=machine\n");
            let keys = ApiKeys::parse(file.as_bytes()).unwrap();
            let principal = keys.find(b"secret").unwrap();
            let identity = principal.identity();
            assert_eq!((identity.subject.as_str(), identity.scheme.as_str()), ("billing", "api-key"));
            assert_eq!((identity.scopes.join(" "), identity.roles.join(" ")), ("read a:b".into(), "machine".into()));
            for key in [&b""[..], b"Secret", b"secret ", b"secret\0", SECRET.as_bytes(), &[b's'; 600], b"\xff"] {
                assert_eq!(keys.find(key), Err(Refusal::ApiKey));
            }
        }
    }

    #[test]
    fn one_caller_may_have_several_keys_but_no_key_several_callers() {
        let other = "0".repeat(64);
        assert!(ApiKeys::parse(format!("a:sha256:{SECRET}\na:sha256:{other}").as_bytes()).is_ok());
        assert_eq!(
            wrong(&format!("a:sha256:{SECRET}\nb:sha256:{SECRET}")),
            "line 2 has a digest that another line has"
        );
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_without_what_stands_in_it() {
        for (file, said) in [
            ("", "there is nobody in this file"),
            ("# a\n\nhunter2", "line 3 does not begin with a name and a colon"),
            (":hunter2", "line 1 does not begin with a name and a colon"),
            ("a:hunter2", "line 1 has no digest of a key after its name"),
            ("a:sha256:hunter2", "line 1 has no digest of a key after its name"),
            (&format!("a:sha256:{SECRET}0"), "line 1 has no digest of a key after its name"),
            (&format!("a:sha256:{SECRET} hunter2"), "line 1 says something that is neither `scopes=…` nor `roles=…`"),
        ] {
            assert_eq!(wrong(file), said);
        }
        assert_eq!(ApiKeys::parse(b"\xff").err().unwrap().message, "this is no text in UTF-8");
    }
}
