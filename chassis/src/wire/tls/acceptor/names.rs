//! Reads what a certificate says about its owner (RFC 5280 §4).
//!
//! What is read here was verified before: its signature, its time, its use. Nothing is taken from a certificate that is
//! not exactly as the standard has it.

use std::fmt::Write;

use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, ErrorKind, Reader, Result, SliceReader, Tag};

use crate::invocation::Certificate;

/// `id-ce-subjectAltName` (RFC 5280 §4.2.1.6).
const ALTERNATIVE_NAMES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// Reads a certificate in DER.
pub(super) fn certificate(der: &[u8]) -> Result<Certificate> {
    let mut certificate = inside(AnyRef::from_der(der)?)?;
    let mut signed = inside(AnyRef::decode(&mut certificate)?)?;
    let mut known = Certificate::default();
    let first = AnyRef::decode(&mut signed)?;
    // The version stands before the serial number, but for certificates of the first.
    let serial = if is(&first, 0) { AnyRef::decode(&mut signed)? } else { first };
    known.serial = hexadecimal(serial.value());
    let (_algorithm, _issuer) = (AnyRef::decode(&mut signed)?, AnyRef::decode(&mut signed)?);
    known.expires = expires(AnyRef::decode(&mut signed)?)?;
    while !signed.is_finished() {
        let part = AnyRef::decode(&mut signed)?;
        if is(&part, 3) {
            extensions(AnyRef::from_der(part.value())?, &mut known)?;
        }
    }
    Ok(known)
}

/// What a constructed value consists of.
fn inside(value: AnyRef<'_>) -> Result<SliceReader<'_>> {
    value.header().tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(value.value())
}

/// Whether a value has this number among those whose meaning depends on their place.
fn is(value: &AnyRef<'_>, number: u32) -> bool {
    let tag = value.header().tag();
    tag.is_context_specific() && tag.number().value() == number
}

fn expires(validity: AnyRef<'_>) -> Result<u64> {
    let mut validity = inside(validity)?;
    let (_from, until) = (AnyRef::decode(&mut validity)?, AnyRef::decode(&mut validity)?);
    let until = match until.header().tag() {
        Tag::UtcTime => until.decode_as::<UtcTime>()?.to_unix_duration(),
        _ => until.decode_as::<GeneralizedTime>()?.to_unix_duration(),
    };
    Ok(until.as_secs())
}

fn extensions(all: AnyRef<'_>, known: &mut Certificate) -> Result<()> {
    let mut all = inside(all)?;
    while !all.is_finished() {
        let mut extension = inside(AnyRef::decode(&mut all)?)?;
        let id = ObjectIdentifier::decode(&mut extension)?;
        let mut value = AnyRef::decode(&mut extension)?;
        if value.header().tag() == Tag::Boolean {
            value = AnyRef::decode(&mut extension)?;
        }
        if id == ALTERNATIVE_NAMES {
            names(AnyRef::from_der(value.value())?, known)?;
        }
    }
    Ok(())
}

fn names(all: AnyRef<'_>, known: &mut Certificate) -> Result<()> {
    let mut all = inside(all)?;
    while !all.is_finished() {
        let name = AnyRef::decode(&mut all)?;
        for (number, list) in [(1, &mut known.emails), (2, &mut known.dns), (6, &mut known.uris)] {
            if is(&name, number) {
                list.push(text(name)?);
            }
        }
    }
    Ok(())
}

/// A name. It ends up in logs and header fields, so it has no spaces and nothing that cannot be seen.
fn text(name: AnyRef<'_>) -> Result<String> {
    let visible = name.value().iter().all(u8::is_ascii_graphic);
    let text = visible.then(|| String::from_utf8_lossy(name.value()).into_owned());
    text.filter(|text| !text.is_empty()).ok_or_else(|| ErrorKind::Value { tag: Tag::Ia5String }.into())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
