//! Spans that are over and wait to be sent: a bounded queue between those who record calls and whoever sends.
//!
//! Nothing is made, and nothing queued, unless somebody sends. When there is no room a span is dropped and counted: a
//! receiver that is slow or away costs the calls nothing, and memory no more than the queue.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use tokio::sync::mpsc;

use crate::metrics::Counter;
use crate::trace::{TraceContext, TraceState};

/// A span that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Its ids and those of the span it belongs to.
    pub trace: TraceContext,
    /// What tracing systems added to the trace it continues.
    pub state: Option<TraceState>,
    /// The span of another trace that led to it.
    pub link: Option<TraceContext>,
    /// What was done, of low cardinality.
    pub name: String,
    /// When it began.
    pub start: SystemTime,
    /// When it was over.
    pub end: SystemTime,
    /// Whether the service failed.
    pub failed: bool,
    /// What else is known, by the names of OpenTelemetry's conventions.
    pub attributes: Vec<(&'static str, Value)>,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text, cut short where a caller chose it.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

/// The longest text of a caller that is kept, in bytes.
pub const LONGEST: usize = 256;

/// The most memory that a span in the queue takes, in bytes: texts of callers are cut short, the others are written in
/// the program or its configuration.
pub const LARGEST: usize = 4096;

/// Takes spans that are over to whoever sends them. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Spans(Arc<OnceLock<Queue>>);

struct Queue {
    sender: mpsc::Sender<Finished>,
    dropped: Counter,
}

impl Spans {
    /// Whether anybody sends them.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.0.get().is_some()
    }

    /// Makes a span and queues it, if there is room; else it is counted as dropped, and not made.
    pub fn offer(&self, make: impl FnOnce() -> Finished) {
        let Some(Queue { sender, dropped }) = self.0.get() else { return };
        match sender.try_reserve() {
            Ok(place) => place.send(make()),
            Err(_) => dropped.increment(),
        }
    }

    /// Begins to queue so many spans at most, and counts those for which there is no room. `None` if somebody sends them
    /// already.
    pub fn open(&self, capacity: usize, dropped: Counter) -> Option<mpsc::Receiver<Finished>> {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        self.0.set(Queue { sender, dropped }).is_ok().then_some(receiver)
    }
}

/// A text of a caller, cut short between two characters.
pub fn shortened(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Kind, Labels, Metrics, Spec, Unit};

    static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("span"), kind: Kind::Counter };

    fn span() -> Finished {
        let epoch = SystemTime::UNIX_EPOCH;
        Finished {
            trace: TraceContext::default(),
            state: None,
            link: None,
            name: "GET".to_owned(),
            start: epoch,
            end: epoch,
            failed: false,
            attributes: Vec::new(),
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_not_made() {
        let (spans, dropped) = (Spans::default(), Metrics::default().counter(&DROPPED, Labels::new()));
        spans.offer(|| panic!("nobody sends"));
        assert!(!spans.is_wanted());
        let mut queue = spans.open(2, dropped.clone()).unwrap();
        assert!(spans.is_wanted() && spans.open(2, dropped.clone()).is_none());
        spans.offer(span);
        spans.offer(span);
        spans.offer(|| panic!("there is no room"));
        assert_eq!((queue.try_recv().is_ok(), dropped.count()), (true, 1));
        spans.offer(span);
        assert_eq!((queue.len(), dropped.count()), (2, 1));
        drop(queue);
        spans.offer(|| panic!("whoever sent is gone"));
        assert_eq!(dropped.count(), 2);
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!(shortened("abc"), "abc");
        let long = format!("{}é", "a".repeat(LONGEST - 1));
        assert_eq!(shortened(&long), &long[..LONGEST - 1]);
        assert_eq!(shortened(&"a".repeat(LONGEST + 1)).len(), LONGEST);
    }
}
