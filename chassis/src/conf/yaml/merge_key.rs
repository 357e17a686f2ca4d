//! The merge key `<<` (YAML 1.1, <https://yaml.org/type/merge.html>): takes the keys of another map that are not there.

use std::collections::{BTreeMap, btree_map};

use crate::conf::tree::{Content, Entry, Node};

/// Takes the keys of a map, or of each of a list of maps, that are not there yet. The values of those that are there go
/// to `replaced`.
pub(super) fn merge(entries: &mut BTreeMap<String, Entry>, from: Node, replaced: &mut Vec<Node>) -> Result<(), String> {
    match from.content {
        Content::Map(others) => {
            others.into_iter().for_each(|(key, entry)| match entries.entry(key) {
                btree_map::Entry::Vacant(place) => _ = place.insert(entry),
                btree_map::Entry::Occupied(_) => replaced.push(entry.node),
            });
            Ok(())
        }
        Content::List(maps) if maps.iter().all(|map| map.entries().is_some()) => {
            maps.into_iter().try_for_each(|map| merge(entries, map, replaced))
        }
        _ => Err("`<<` takes a map or a list of maps".to_owned()),
    }
}
