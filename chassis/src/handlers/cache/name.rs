//! What tells one call from another that gets the same answer.

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};

use crate::invocation::Invocation;
use crate::principal::Principal;

/// Names a target, for one caller or for all: a digest, so that all take the same room and nobody can make two alike.
pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

/// The name of the target, for the caller if it is known.
pub(super) fn of(invocation: &Invocation) -> Digest {
    let identity = invocation.call.principal.as_ref().map(Principal::identity);
    match identity {
        Some(identity) => digest(invocation, ["known", &identity.scheme, &identity.subject]),
        None => for_everyone(invocation),
    }
}

/// The name of the target, for all who are not known.
pub(super) fn for_everyone(invocation: &Invocation) -> Digest {
    digest(invocation, ["", "", ""])
}

fn digest(invocation: &Invocation, caller: [&str; 3]) -> Digest {
    let host = invocation.host().unwrap_or_default();
    let target = invocation.uri().path_and_query().map_or("", |target| target.as_str());
    let mut context = Context::new(&SHA256);
    // Listeners may serve different schemas under one name.
    let schema = invocation.operation().map_or("", |operation| &operation.schema);
    for part in caller.into_iter().chain([schema, host.to_ascii_lowercase().as_str(), target]) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut digest = Digest::default();
    digest.copy_from_slice(context.finish().as_ref());
    digest
}
