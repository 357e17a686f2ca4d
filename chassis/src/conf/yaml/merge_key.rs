//! The merge key `<<` (YAML 1.1, <https://yaml.org/type/merge.html>): takes the keys of another map that are not there.

use std::collections::BTreeMap;

use crate::conf::tree::{Content, Entry, Node};

/// Takes the keys of a map, or of each of a list of maps, that are not there yet.
pub(super) fn merge(entries: &mut BTreeMap<String, Entry>, from: Node) -> Result<(), String> {
    match from.content {
        Content::Map(others) => {
            others.into_iter().for_each(|(key, entry)| {
                entries.entry(key).or_insert(entry);
            });
            Ok(())
        }
        Content::List(maps) if maps.iter().all(|map| map.entries().is_some()) => {
            maps.into_iter().try_for_each(|map| merge(entries, map))
        }
        _ => Err("`<<` takes a map or a list of maps".to_owned()),
    }
}
