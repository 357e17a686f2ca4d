//! About how many bytes a caller takes in memory: rather too many than too few.

use serde_json::{Map, Value};

use crate::principal::Identity;

/// Texts and members of maps with what the allocator and the nodes of the tree add.
const TEXT: usize = size_of::<String>() + 16;
const MEMBER: usize = 2 * (size_of::<String>() + size_of::<Value>());

pub(super) fn of(identity: &Identity) -> usize {
    let words = identity.scopes.iter().chain(&identity.roles).map(|word| TEXT + word.len()).sum::<usize>();
    size_of::<Identity>() + identity.subject.len() + identity.scheme.len() + words + members(&identity.claims)
}

fn members(claims: &Map<String, Value>) -> usize {
    claims.iter().map(|(name, value)| MEMBER + name.len() + held(value)).sum()
}

fn held(value: &Value) -> usize {
    match value {
        Value::String(text) => TEXT + text.len(),
        // A vector that grew has up to twice the places it needs.
        Value::Array(list) => list.iter().map(|value| 2 * size_of::<Value>() + held(value)).sum(),
        Value::Object(members) => self::members(members),
        _ => 0,
    }
}
