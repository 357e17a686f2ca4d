//! What chassis itself reads of a configuration, and what is left of that when something is wrong.

use serde_path_to_error::Segment;

use crate::conf::broken::{Broken, take_out};
use crate::conf::path::KeyPath;
use crate::conf::root::Root;
use crate::conf::tree::{Content, Node};

/// What chassis itself reads: everything but what parts are made from, which may hold secrets.
pub(super) fn own(root: &Node) -> Node {
    let mut root = root.clone();
    let strip = |node: &mut Node, keep: &[&str]| {
        if let Content::Map(entries) = &mut node.content {
            entries.retain(|key, _| keep.contains(&key.as_str()));
        }
    };
    for key in ["handlers", "schemas", "components"] {
        if let Some(parts) = root.at_mut(&KeyPath::root().key(key)) {
            strip(parts, &[]);
        }
    }
    for (key, keep) in [("protocols", ["schemas"].as_slice()), ("operations", &["timeout", "chain", "access"])] {
        if let Some(Node { content: Content::Map(entries), .. }) = root.at_mut(&KeyPath::root().key(key)) {
            entries.values_mut().for_each(|entry| strip(&mut entry.node, keep));
        }
    }
    root
}

/// What is left when everything that is wrong is taken out.
pub(super) fn as_far_as_it_is_right(mut own: Node, broken: &Broken) -> Root {
    broken.prune(&mut own);
    loop {
        let error = match serde_path_to_error::deserialize(own.to_json()) {
            Ok(root) => return root,
            Err(error) => error,
        };
        let error: serde_path_to_error::Error<serde_json::Error> = error;
        let path = error.path().iter().fold(KeyPath::root(), |path, segment| match segment {
            Segment::Seq { index } => path.index(*index),
            Segment::Map { key } | Segment::Enum { variant: key } => path.key(key),
            Segment::Unknown => path,
        });
        // Something smaller is read each time, and nothing at all can be read.
        if !take_out(&mut own, &path) {
            return Root::default();
        }
    }
}
