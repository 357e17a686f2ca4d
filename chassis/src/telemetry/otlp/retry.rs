//! When a collector wants to be asked again, as gRPC says it: `google.rpc.RetryInfo` among the details of a status.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use prost::Message;

/// The field of a status with details: the status again, as a message.
const DETAILS: &str = "grpc-status-details-bin";

/// What a detail is called that says when to come again.
const RETRY_INFO: &str = "google.rpc.RetryInfo";

/// Base64 of gRPC: whoever sends it may pad it or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// To be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// After so long, if it says.
    pub(super) after: Option<Duration>,
}

/// Whether the fields of a status ask for another attempt. Details that cannot be read ask for nothing.
pub(super) fn asked(fields: &HeaderMap) -> Option<Asked> {
    let details = BASE64.decode(fields.get(DETAILS)?).ok()?;
    let status = Status::decode(details.as_slice()).ok()?;
    let is_meant = |detail: &&Detail| detail.type_url.rsplit('/').next() == Some(RETRY_INFO);
    let detail = status.details.iter().find(is_meant)?;
    let again = Again::decode(detail.value.as_slice()).ok()?;
    Some(Asked { after: again.retry_delay.and_then(Delay::time) })
}

/// `google.rpc.Status`, as far as it matters here.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct Again {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Delay {
    /// Unless it lies in the past or is no time at all.
    fn time(self) -> Option<Duration> {
        let nanos = u32::try_from(self.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        Some(Duration::new(u64::try_from(self.seconds).ok()?, nanos))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use http::HeaderValue;

    use super::*;

    /// Details that ask for another attempt after this.
    pub(in crate::telemetry::otlp) fn details(seconds: i64, nanos: i32) -> Vec<u8> {
        let again = Again { retry_delay: Some(Delay { seconds, nanos }) };
        detailed(&[("google.rpc.DebugInfo", Vec::new()), (RETRY_INFO, again.encode_to_vec())])
    }

    fn detailed(details: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let detail = |(name, value): &(&str, Vec<u8>)| Detail {
            type_url: format!("type.googleapis.com/{name}"),
            value: value.clone(),
        };
        Status { details: details.iter().map(detail).collect() }.encode_to_vec()
    }

    fn asked_by(text: &str) -> Option<Asked> {
        asked(&HeaderMap::from_iter([(DETAILS.parse().unwrap(), HeaderValue::from_str(text).unwrap())]))
    }

    #[test]
    fn a_pause_is_read_with_padding_and_without() {
        let expected = Some(Asked { after: Some(Duration::from_millis(2500)) });
        // As `google.rpc.Status { code: 8, message: "full", details: [RetryInfo { 2.5 s }] }` is encoded elsewhere.
        let known = "CAgSBGZ1bGwaNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIKCggIAhCAyrXuAQ";
        assert_eq!(asked_by(known), expected);
        let details = details(2, 500_000_000);
        for text in [STANDARD.encode(&details), STANDARD_NO_PAD.encode(&details)] {
            assert_eq!(asked_by(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_asks_for_no_attempt_is_told_from_one_that_names_no_pause() {
        let of = |details: Vec<u8>| asked_by(&STANDARD.encode(details));
        assert_eq!(of(detailed(&[(RETRY_INFO, Vec::new())])), Some(Asked { after: None }));
        assert_eq!(
            (of(details(-1, 0)), of(details(0, -1))),
            (Some(Asked { after: None }), Some(Asked { after: None }))
        );
        assert_eq!(of(details(0, 0)), Some(Asked { after: Some(Duration::ZERO) }));
        assert_eq!(of(detailed(&[("google.rpc.QuotaFailure", Vec::new())])), None);
        assert_eq!(of(detailed(&[(RETRY_INFO, vec![0xff])])), None);
        assert_eq!((of(vec![0xff]), asked_by("!"), asked(&HeaderMap::new())), (None, None, None));
    }
}
