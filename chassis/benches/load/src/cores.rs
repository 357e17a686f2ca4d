//! Keeps the servers on one core and the load on another, so that neither borrows from the other.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::flags::Flags;

/// Which core does what.
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) load: usize,
}

impl Cores {
    pub(crate) fn choose(flags: &Flags) -> io::Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let first = usable.next().unwrap_or(0);
        let second = usable.next().unwrap_or(first);
        let cores = Self { server: flags.server_core.unwrap_or(first), load: flags.load_core.unwrap_or(second) };
        if cores.server == cores.load {
            eprintln!("warning: servers and load share core {}: the ratios say little", cores.server);
        }
        Ok(cores)
    }

    /// Runs `start` with this thread on the servers' core: a child process inherits it and sees one core.
    pub(crate) fn as_server<T>(&self, start: impl FnOnce() -> T) -> io::Result<T> {
        pin(self.server)?;
        let started = start();
        pin(self.load)?;
        Ok(started)
    }
}

fn pin(core: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}
