//! What is over and waits to be sent: bounded queues between those who record and whoever sends.
//!
//! Nothing is made, and nothing queued, unless somebody sends. When there is no room a span or a line of the log is dropped
//! and counted: a receiver that is slow or away costs the calls nothing, and memory no more than the queue.

use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;

use crate::metrics::Counter;

mod line;
mod span;
mod spans;
mod wire;

pub use line::{Line, Value};
pub use span::{Writing, written};
pub use spans::{Batch, Sizes, Spans, Waiting};

/// The longest text of a caller that is kept, in bytes.
pub const LONGEST: usize = 256;

/// The most memory that a span or a line in the queue takes, in bytes: texts of callers are cut short, the others are written in
/// the program or its configuration.
pub const LARGEST: usize = 4096;

/// Lines of the log on their way to whoever sends them.
pub type Lines = Outbox<Line>;

/// Takes what is over to whoever sends it. Cheap to clone; all clones are one.
pub struct Outbox<T>(Arc<OnceLock<Queue<T>>>);

struct Queue<T> {
    sender: mpsc::Sender<T>,
    dropped: Counter,
}

impl<T> Clone for Outbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Outbox<T> {
    /// Whether anybody sends.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.0.get().is_some()
    }

    /// Makes something and queues it, if there is room; else it is counted as dropped, and not made.
    pub fn offer(&self, make: impl FnOnce() -> T) {
        let Some(Queue { sender, dropped }) = self.0.get() else { return };
        match sender.try_reserve() {
            Ok(place) => place.send(make()),
            Err(_) => dropped.increment(),
        }
    }

    /// Begins to queue so many at most, and counts those for which there is no room. `None` if somebody sends
    /// already.
    pub fn open(&self, capacity: usize, dropped: Counter) -> Option<mpsc::Receiver<T>> {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        self.0.set(Queue { sender, dropped }).is_ok().then_some(receiver)
    }
}

/// A text of a caller, cut short.
pub fn shortened(text: &str) -> &str {
    cut(text, LONGEST)
}

/// A text of so many bytes at most, cut between two characters.
pub fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Kind, Labels, Metrics, Spec, Unit};

    static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("thing"), kind: Kind::Counter };

    #[test]
    fn what_finds_no_room_is_counted_and_not_made() {
        let (outbox, dropped) = (Outbox::default(), Metrics::default().counter(&DROPPED, Labels::new()));
        outbox.offer(|| panic!("nobody sends"));
        assert!(!outbox.is_wanted());
        let mut queue = outbox.open(2, dropped.clone()).unwrap();
        assert!(outbox.is_wanted() && outbox.open(2, dropped.clone()).is_none());
        outbox.offer(|| 1);
        outbox.offer(|| 2);
        outbox.offer(|| panic!("there is no room"));
        assert_eq!((queue.try_recv(), dropped.count()), (Ok(1), 1));
        outbox.offer(|| 3);
        assert_eq!((queue.len(), dropped.count()), (2, 1));
        drop(queue);
        outbox.offer(|| panic!("whoever sent is gone"));
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
