//! A user and a password as Basic sends them (RFC 7617 §2).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The longest that is looked at.
const LONGEST: usize = 1024;

/// Base64 (RFC 4648 §4); some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A user and a password.
pub(super) struct Pair {
    text: String,
    colon: usize,
}

impl Pair {
    /// Reads what stands after `Basic`; `None` where that is no user and no password.
    pub(super) fn decode(sent: &[u8]) -> Option<Self> {
        let bytes = BASE64.decode(Some(sent).filter(|sent| sent.len() <= LONGEST)?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        // RFC 7617 §2: neither may have control characters.
        let colon = text.find(':').filter(|_| !text.contains(char::is_control))?;
        Some(Self { text, colon })
    }

    pub(super) fn user(&self) -> &str {
        &self.text[..self.colon]
    }

    pub(super) fn password(&self) -> &str {
        &self.text[self.colon + 1..]
    }

    pub(super) fn whole(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sent: &str) -> Option<(String, String)> {
        Pair::decode(sent.as_bytes()).map(|pair| (pair.user().to_owned(), pair.password().to_owned()))
    }

    #[test]
    fn a_password_may_have_colons_and_any_language() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ"), pair("Aladdin", "open sesame"));
        // RFC 7617 §2.1.
        assert_eq!(read("dGVzdDoxMjPCow=="), pair("test", "123£"));
        assert_eq!(read("YTpiOmM="), pair("a", "b:c"));
        assert_eq!(read("Og=="), pair("", ""));
    }

    #[test]
    fn what_is_no_pair_is_none() {
        // No base64, no colon, Latin-1, a line end, too long.
        for sent in ["", "%%%", "QWxhZGRpbg==", "dGVzdDoxMjOj", "YTpiCg==", &"YTpi".repeat(300)] {
            assert_eq!(read(sent), None, "{sent}");
        }
    }
}
