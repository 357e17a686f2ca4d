//! The text of templates, byte by byte: what several have in common is there once.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::draft::Draft;
use super::path::Path;
use super::tree::{ArrivalsId, WaysId};
use super::word::{position, word};

/// The number of a node.
pub(super) type NodeId = u32;

/// How much text one node has at most.
const MOST_TEXT: usize = u8::MAX as usize;

/// Some trees of text. The children of a node are numbered one after the other.
#[derive(Debug, Default)]
pub(super) struct Radix {
    nodes: Vec<Node>,
    // What is longer than a word.
    long: Vec<u8>,
}

/// Some text, and what follows it. Two fill a line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(super) struct Node {
    // The text; where it begins in `long` if it does not fit. Only that of a root may be empty.
    text: u64,
    // The first bytes of up to eight children. More are numbered by their first byte, from this one on.
    firsts: u64,
    children: NodeId,
    /// What arrives if a path ends after the text.
    pub(super) arrives: Option<ArrivalsId>,
    /// The ways of a segment that begins after the text, if that can be more than text.
    pub(super) begins: Option<WaysId>,
    len: u8,
    // All differ in their first byte, which is never NUL.
    count: u8,
}

/// What is known of a place in the text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) arrives: Option<ArrivalsId>,
    pub(super) begins: Option<WaysId>,
}

impl Node {
    /// Nothing: no path has a NUL.
    const NONE: Self = Self { text: 0, firsts: 0, children: 0, arrives: None, begins: None, len: 1, count: 0 };

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }
}

impl Radix {
    #[inline]
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id as usize)
    }

    /// Whether a path goes on with the text of a node.
    #[inline]
    pub(super) fn fits(&self, node: &Node, path: &Path<'_>, at: usize) -> bool {
        if node.len > 8 {
            return self.fits_long(node, path, at);
        }
        // After the end of the path there are zeros, and in the text there are none.
        (path.word(at) ^ node.text).checked_shl(64 - 8 * u32::from(node.len)).unwrap_or(0) == 0
    }

    #[inline(never)]
    fn fits_long(&self, node: &Node, path: &Path<'_>, at: usize) -> bool {
        let start = node.text as usize;
        self.long.get(start..start + node.len()).is_some_and(|text| path.slice(at..at + text.len()) == text)
    }

    /// The only node below this one that may have what a path goes on with.
    #[inline]
    pub(super) fn child(&self, node: &Node, byte: u8) -> Option<NodeId> {
        let at =
            if node.count > 8 { u32::from(byte.wrapping_sub(node.firsts as u8)) } else { position(node.firsts, byte) };
        (at < u32::from(node.count)).then(|| node.children + at)
    }

    /// Adds the tree of what follows a node of the draft as text.
    pub(super) fn add(&mut self, draft: &Draft, start: usize, marks: &[Marks]) -> NodeId {
        let texts: Vec<_> = texts(draft, start, marks).into_iter().collect();
        let root = self.reserve(1);
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
        let places = places(&firsts);
        let count = places.last().map_or(0, |last| last + 1);
        let children = self.reserve(count);
        let Marks { arrives, begins } = if ends_here { *marks } else { Marks::default() };
        let (text, len, count) = (self.text(&first[part.above..end]), (end - part.above) as u8, count as u8);
        let firsts = word(&firsts);
        self.nodes[part.node as usize] = Node { text, firsts, children, arrives, begins, len, count };
        let nodes = places.iter().map(|place| children + *place as NodeId);
        queue.extend(nodes.zip(parts).map(|(node, texts)| Part { node, texts, above: end }));
    }

    fn text(&mut self, text: &[u8]) -> u64 {
        if text.len() <= 8 {
            return word(text);
        }
        let start = self.long.len();
        self.long.extend(text);
        start as u64
    }

    fn reserve(&mut self, count: usize) -> NodeId {
        let start = self.nodes.len();
        self.nodes.resize(start + count, Node::NONE);
        start as NodeId
    }
}

/// Where children with these first bytes stand among the children of their node: up to eight one after the other,
/// more with gaps, so that no search looks for them.
fn places(firsts: &[u8]) -> Vec<usize> {
    match firsts {
        [first, _, _, _, _, _, _, _, _, ..] => firsts.iter().map(|byte| usize::from(byte - first)).collect(),
        _ => (0..firsts.len()).collect(),
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
fn texts(draft: &Draft, start: usize, marks: &[Marks]) -> BTreeMap<Vec<u8>, Marks> {
    let mut texts: BTreeMap<Vec<u8>, Marks> = BTreeMap::new();
    let mut stack = vec![(start, b"/".to_vec())];
    if draft.nodes[start].may_end_here() {
        // Only the path `/` ends after a slash that is none too many.
        let text = if start == 0 { b"/".to_vec() } else { Vec::new() };
        texts.entry(text).or_default().arrives = marks[start].arrives;
    }
    while let Some((id, before)) = stack.pop() {
        let node = &draft.nodes[id];
        if node.has_more_than_text() {
            texts.entry(before.clone()).or_default().begins = marks[id].begins;
        }
        for (text, child) in &node.statics {
            let text = [before.as_slice(), text].concat();
            stack.push((*child, [text.as_slice(), b"/"].concat()));
            if draft.nodes[*child].may_end_here() {
                texts.entry(text).or_default().arrives = marks[*child].arrives;
            }
        }
    }
    texts
}
