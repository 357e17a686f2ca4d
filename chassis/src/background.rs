//! Work that a part does beside the calls: fetching keys, sending what was recorded, sweeping.
//!
//! A part asks for it while it is built; it begins when the process starts to serve, never in `check` or `explain`. It
//! is told to end when the part goes away or the process does, and gets a bounded time to end by itself.

use std::future::Future;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::conf::BuildError;
use crate::lock::locked;
use crate::schema::BoxFuture;

/// What parts want done beside the calls.
#[derive(Clone, Default)]
pub struct Background(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    first: Vec<First>,
    works: Vec<Work>,
}

/// Work that must succeed before the process serves.
pub struct First {
    /// What it is, for people.
    pub name: String,
    /// The work.
    pub work: BoxFuture<'static, Result<(), BuildError>>,
}

/// Work that goes on until it is told to end.
pub struct Work {
    /// What it is, for people.
    pub name: String,
    /// The work.
    pub work: BoxFuture<'static, ()>,
    // Held by whoever runs it: telling the work to end is dropping this.
    process: watch::Sender<()>,
}

/// Kept by the part that asked for the work: it ends with the part.
pub struct Task {
    _part: watch::Sender<()>,
}

/// Tells work that it is to end.
#[derive(Clone)]
pub struct Ending {
    part: watch::Receiver<()>,
    process: watch::Receiver<()>,
}

impl Ending {
    /// Waits until the work is to end.
    pub async fn told(&mut self) {
        // Nothing is ever sent: an error says that the other side is gone.
        tokio::select! {
            () = gone(&mut self.part) => {}
            () = gone(&mut self.process) => {}
        }
    }
}

async fn gone(side: &mut watch::Receiver<()>) {
    while side.changed().await.is_ok() {}
}

impl Background {
    /// Has something done before the process serves: it does not start if that fails.
    pub fn first(&self, name: impl Into<String>, work: impl Future<Output = Result<(), BuildError>> + Send + 'static) {
        locked(&self.0).first.push(First { name: name.into(), work: Box::pin(work) });
    }

    /// Has something done for as long as the part lives: keep the [`Task`]. The work should end soon after
    /// [`Ending::told`] does.
    #[must_use = "the work ends when the task is dropped"]
    pub fn run<F>(&self, name: impl Into<String>, work: impl FnOnce(Ending) -> F) -> Task
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (part, part_gone) = watch::channel(());
        let (process, process_gone) = watch::channel(());
        let work = Box::pin(work(Ending { part: part_gone, process: process_gone }));
        locked(&self.0).works.push(Work { name: name.into(), work, process });
        Task { _part: part }
    }

    /// What is to be done before serving, and was not begun yet.
    pub fn take_first(&self) -> Vec<First> {
        std::mem::take(&mut locked(&self.0).first)
    }

    /// What is to go on beside the calls, and was not begun yet.
    pub fn take_works(&self) -> Vec<Work> {
        std::mem::take(&mut locked(&self.0).works)
    }
}

/// Work under way. Dropping it tells nothing to end and waits for nothing: use [`Works::end`].
#[derive(Default)]
pub struct Works {
    tasks: tokio::task::JoinSet<()>,
    told: Vec<watch::Sender<()>>,
}

impl Works {
    /// Begins what was asked for.
    pub fn begin(&mut self, works: Vec<Work>) {
        for Work { work, process, .. } in works {
            self.told.push(process);
            self.tasks.spawn(work);
        }
    }

    /// Tells all work to end and waits for it. Whoever cannot wait longer drops this future, and what is left is cut
    /// off.
    pub async fn end(mut self) {
        self.told.clear();
        while self.tasks.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counting(background: &Background, ended: &Arc<AtomicUsize>) -> Task {
        let ended = Arc::clone(ended);
        background.run("counting", move |mut ending| async move {
            ending.told().await;
            ended.fetch_add(1, Ordering::Relaxed);
        })
    }

    #[tokio::test]
    async fn work_ends_with_its_part_and_with_the_process() {
        let (background, ended) = (Background::default(), Arc::new(AtomicUsize::new(0)));
        let (one, other) = (counting(&background, &ended), counting(&background, &ended));
        let mut works = Works::default();
        works.begin(background.take_works());
        drop(one);
        works.tasks.join_next().await.unwrap().unwrap();
        assert_eq!(ended.load(Ordering::Relaxed), 1);
        works.end().await;
        assert_eq!(ended.load(Ordering::Relaxed), 2);
        drop(other);
    }

    #[test]
    fn work_that_nobody_begins_is_not_begun() {
        let (background, ended) = (Background::default(), Arc::new(AtomicUsize::new(0)));
        let task = counting(&background, &ended);
        assert_eq!((background.take_works().len(), background.take_works().len()), (1, 0));
        drop(task);
        assert_eq!(ended.load(Ordering::Relaxed), 0);
    }
}
