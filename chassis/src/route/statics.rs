//! The segments that are plain text: sorted by node, and by hash where a node has many.

use std::collections::BTreeMap;
use std::ops::Range;

use super::escape::Raw;
use super::tree::{NodeId, Span};

/// Up to how many texts are compared one by one.
const FEW: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Statics {
    // Those of one node lie together, sorted by text.
    edges: Vec<Edge>,
    text: Vec<u8>,
    // Open addressing over the edges of nodes that have many; the length is a power of two.
    slots: Vec<Slot>,
    wide: Vec<(NodeId, u32)>,
    // The length of the longest text: a longer segment is not worth hashing.
    longest: usize,
    nodes: NodeId,
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    text: Span,
    child: NodeId,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    edge: u32,
}

const EMPTY: Slot = Slot { tag: 0, edge: u32::MAX };

impl Statics {
    /// Adds the texts of the next node.
    pub(super) fn add(&mut self, statics: &BTreeMap<Vec<u8>, usize>) -> Span {
        let start = self.edges.len() as u32;
        for (text, child) in statics {
            if statics.len() > FEW {
                self.wide.push((self.nodes, self.edges.len() as u32));
            }
            let from = self.text.len() as u32;
            self.text.extend(text);
            self.longest = self.longest.max(text.len());
            self.edges.push(Edge { text: Span { start: from, end: self.text.len() as u32 }, child: *child as NodeId });
        }
        self.nodes += 1;
        Span { start, end: self.edges.len() as u32 }
    }

    /// Makes the index, once all nodes are added.
    pub(super) fn index(&mut self) {
        self.slots = vec![EMPTY; (self.wide.len() * 2).next_power_of_two()];
        for (node, edge) in std::mem::take(&mut self.wide) {
            let hash = hash(node, self.text(edge as usize));
            let mut at = self.first(hash);
            while self.slots[at].edge != EMPTY.edge {
                at = self.next(at);
            }
            self.slots[at] = Slot { tag: tag(hash), edge };
        }
    }

    /// The node that a segment leads to.
    pub(super) fn child(&self, node: NodeId, of_node: Span, segment: Raw<'_>) -> Option<NodeId> {
        let edges = &self.edges[of_node.range()];
        if segment.escaped {
            let found = edges.binary_search_by(|edge| segment.cmp(&self.text[edge.text.range()]).reverse());
            return found.ok().map(|at| edges[at].child);
        }
        if edges.len() <= FEW {
            return edges.iter().find(|edge| self.text[edge.text.range()] == *segment.bytes).map(|edge| edge.child);
        }
        self.indexed(node, of_node.range(), segment.bytes)
    }

    fn indexed(&self, node: NodeId, of_node: Range<usize>, segment: &[u8]) -> Option<NodeId> {
        if segment.len() > self.longest {
            return None;
        }
        let hash = hash(node, segment);
        let mut at = self.first(hash);
        loop {
            let slot = self.slots[at];
            if slot.edge == EMPTY.edge {
                return None;
            }
            let edge = slot.edge as usize;
            // Two nodes may have the same text, and all of the hash but its tag is gone.
            if slot.tag == tag(hash) && of_node.contains(&edge) && self.text(edge) == segment {
                return Some(self.edges[edge].child);
            }
            at = self.next(at);
        }
    }

    fn text(&self, edge: usize) -> &[u8] {
        &self.text[self.edges[edge].text.range()]
    }

    fn first(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }
}

/// The upper half; the lower one chose the slot.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// A hash for keys that the author of the service chose: callers cannot add any, so it need not be keyed.
fn hash(node: NodeId, text: &[u8]) -> u64 {
    let (words, rest) = text.as_chunks::<8>();
    let start = mix(u64::from(node) ^ ((text.len() as u64) << 32));
    let hash = words.iter().fold(start, |hash, word| mix(hash ^ u64::from_le_bytes(*word)));
    if rest.is_empty() { hash } else { mix(hash ^ last_word(text)) }
}

/// The last eight bytes, or all there are: some of them twice, which is quicker than a loop over the rest.
fn last_word(text: &[u8]) -> u64 {
    if let Some(word) = text.last_chunk::<8>() {
        return u64::from_le_bytes(*word);
    }
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
        _ => text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

fn mix(word: u64) -> u64 {
    let product = u128::from(word ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statics(nodes: &[Vec<String>]) -> (Statics, Vec<Span>) {
        let mut statics = Statics::default();
        let sorted =
            |texts: &Vec<String>| texts.iter().enumerate().map(|(at, text)| (text.clone().into_bytes(), at)).collect();
        let spans = nodes.iter().map(|texts| statics.add(&sorted(texts))).collect();
        statics.index();
        (statics, spans)
    }

    #[test]
    fn every_text_of_every_node_is_found_in_its_own_node_only() {
        for many in [1, FEW, FEW + 1, 2000] {
            let texts =
                |from: usize| (from..from + many).map(|at| "x".repeat(at % 23) + &at.to_string()).collect::<Vec<_>>();
            let nodes = [texts(0), texts(many / 2), texts(many)];
            let (statics, spans) = statics(&nodes);
            for (node, span) in spans.iter().enumerate() {
                for (raw, at) in (0..many * 2).map(|at| ("x".repeat(at % 23) + &at.to_string(), at)) {
                    let expected = nodes[node].iter().position(|text| *text == raw).map(|at| at as NodeId);
                    for escaped in [false, true] {
                        let segment = Raw { bytes: raw.as_bytes(), escaped };
                        assert_eq!(statics.child(node as NodeId, *span, segment), expected, "{many} {node} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_escaped_text_is_found() {
        let (statics, spans) = statics(&[["hello world", "b", "c", "d", "e"].map(str::to_owned).to_vec()]);
        let child = |raw: &str| statics.child(0, spans[0], Raw { bytes: raw.as_bytes(), escaped: raw.contains('%') });
        assert_eq!((child("hello%20world"), child("%62"), child("%2e")), (Some(0), Some(1), None));
    }
}
