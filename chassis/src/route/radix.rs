//! The text of templates, byte by byte: what several have in common is there once.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::draft::Draft;
use super::tree::Packed;
use super::word::{position, word};

/// The number of a node.
pub(super) type NodeId = u32;

/// How much text one node has at most.
const MOST_TEXT: usize = u8::MAX as usize;

/// Some trees of text. The children of a node are numbered one after the other.
#[derive(Debug, Default)]
pub(super) struct Radix {
    nodes: Vec<Node>,
    // The first byte of each node.
    firsts: Vec<u8>,
    // What is longer than a word.
    long: Vec<u8>,
}

/// Some text, never empty, and what follows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    // The text; where it begins in `long` if it does not fit.
    text: u64,
    // The first bytes of its children, as far as they fit.
    firsts: u64,
    children: NodeId,
    /// Where a path leads that ends after the text.
    pub(super) arrives: Option<Packed>,
    /// Where a path is whose next segment begins after the text, if that can be more than text.
    pub(super) begins: Option<Packed>,
    len: u8,
    // All differ in their first byte, which is never NUL.
    count: u8,
}

/// What is known of a place in the text.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    arrives: Option<Packed>,
    begins: Option<Packed>,
}

impl Radix {
    #[inline]
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// What is left of a path that goes on with the text of a node.
    #[inline]
    pub(super) fn strip<'p>(&self, node: &Node, path: &'p [u8]) -> Option<&'p [u8]> {
        if node.len > 8 {
            return self.strip_long(node, path);
        }
        let differs = (word(path) ^ node.text) << (64 - 8 * u32::from(node.len)) != 0;
        if differs { None } else { path.get(usize::from(node.len)..) }
    }

    #[inline(never)]
    fn strip_long<'p>(&self, node: &Node, path: &'p [u8]) -> Option<&'p [u8]> {
        let start = node.text as usize;
        path.strip_prefix(self.long.get(start..start + usize::from(node.len))?)
    }

    /// The only node below this one that may have what a path goes on with.
    #[inline]
    pub(super) fn child(&self, node: &Node, byte: u8) -> Option<NodeId> {
        match position(node.firsts, byte) {
            8 if node.count > 8 => self.child_of_many(node, byte),
            8 => None,
            at => Some(node.children + at),
        }
    }

    #[inline(never)]
    fn child_of_many(&self, node: &Node, byte: u8) -> Option<NodeId> {
        let start = node.children as usize;
        let firsts = self.firsts.get(start..start + usize::from(node.count))?;
        Some(node.children + firsts.iter().position(|first| *first == byte)? as NodeId)
    }

    /// Adds the tree of what follows a node of the draft as text.
    pub(super) fn add(&mut self, draft: &Draft, start: usize, leads: &[Option<Packed>]) -> NodeId {
        let texts: Vec<_> = texts(draft, start, leads).into_iter().collect();
        if texts.is_empty() {
            // A table without routes: no node is made, so that every search ends where it would begin.
            return NodeId::MAX;
        }
        let root = self.reserve(b"/");
        let mut queue = VecDeque::from([Part { node: root, texts: 0..texts.len(), above: 0 }]);
        while let Some(part) = queue.pop_front() {
            self.grow(&texts, &part, &mut queue);
        }
        root
    }

    /// Makes one node, and queues its children.
    fn grow(&mut self, texts: &[(Vec<u8>, Marks)], part: &Part, queue: &mut VecDeque<Part>) {
        let Some([(first, marks), ..]) = texts.get(part.texts.clone()) else { return };
        // They are sorted, so what the first and the last have in common all have.
        let last = &texts[part.texts.end - 1].0;
        let common = first.iter().zip(last).take_while(|(one, other)| one == other).count();
        let end = common.min(part.above + MOST_TEXT);
        let ends_here = first.len() == end;
        let parts = split(texts, part.texts.start + usize::from(ends_here)..part.texts.end, end);
        let firsts: Vec<_> = parts.iter().map(|texts_of| texts[texts_of.start].0[end]).collect();
        let children = self.reserve(&firsts);
        let Marks { arrives, begins } = if ends_here { *marks } else { Marks::default() };
        let (text, len, count) = (self.text(&first[part.above..end]), (end - part.above) as u8, firsts.len() as u8);
        let firsts = word(&firsts);
        self.nodes[part.node as usize] = Node { text, firsts, children, arrives, begins, len, count };
        queue.extend((children..).zip(parts).map(|(node, texts)| Part { node, texts, above: end }));
    }

    fn text(&mut self, text: &[u8]) -> u64 {
        if text.len() <= 8 {
            return word(text);
        }
        let start = self.long.len();
        self.long.extend(text);
        start as u64
    }

    fn reserve(&mut self, firsts: &[u8]) -> NodeId {
        let start = self.nodes.len();
        self.nodes.resize(start + firsts.len(), Node::default());
        self.firsts.extend(firsts);
        start as NodeId
    }
}

/// A node to be made: its texts, and how much of them stands above it.
struct Part {
    node: NodeId,
    texts: Range<usize>,
    above: usize,
}

/// The texts that are the same up to here and differ in the next byte.
fn split(texts: &[(Vec<u8>, Marks)], mut rest: Range<usize>, at: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    while let Some(((text, _), _)) = texts[rest.clone()].split_first() {
        let len = texts[rest.clone()].partition_point(|(other, _)| other[at] == text[at]);
        parts.push(rest.start..rest.start + len);
        rest.start += len;
    }
    parts
}

/// All that can follow a node of the draft as text, the slash before it and all others included.
fn texts(draft: &Draft, start: usize, leads: &[Option<Packed>]) -> BTreeMap<Vec<u8>, Marks> {
    let mut texts: BTreeMap<Vec<u8>, Marks> = BTreeMap::new();
    let mut stack = vec![(start, b"/".to_vec())];
    if start == 0 && draft.nodes[0].may_end_here() {
        // Only the path `/` ends after a slash that is none too many.
        texts.entry(b"/".to_vec()).or_default().arrives = leads[0];
    }
    while let Some((id, before)) = stack.pop() {
        let node = &draft.nodes[id];
        if node.has_more_than_text() {
            texts.entry(before.clone()).or_default().begins = leads[id];
        }
        for (text, child) in &node.statics {
            let text = [before.as_slice(), text].concat();
            stack.push((*child, [text.as_slice(), b"/"].concat()));
            if draft.nodes[*child].may_end_here() {
                texts.entry(text).or_default().arrives = leads[*child];
            }
        }
    }
    texts
}
