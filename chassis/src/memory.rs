//! How much memory the parts of a process can take at most, added up before it serves.
//!
//! Whatever is kept for each caller, key or token is bounded, and says how large it can grow. The sum is told at the
//! start and refused if it is more than the process may use.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::conf::Size;
use crate::lock::locked;

/// The ledger of a process. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Ledger>>);

#[derive(Debug, Default)]
struct Ledger {
    next: u64,
    entries: BTreeMap<u64, (String, u64)>,
}

/// An entry of the ledger, kept by the part that may take the memory.
#[derive(Debug)]
pub struct Reserved {
    memory: Memory,
    entry: u64,
}

/// What all parts together can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// In all.
    pub total: Size,
    /// What for, the largest first.
    pub parts: Vec<(String, Size)>,
}

impl Memory {
    /// Says that something can take this many bytes; it holds as long as what it returns is kept.
    #[must_use = "the entry goes when this is dropped"]
    pub fn reserve(&self, what: impl Into<String>, bytes: usize) -> Reserved {
        let mut ledger = locked(&self.0);
        let entry = ledger.next;
        ledger.next += 1;
        ledger.entries.insert(entry, (what.into(), bytes as u64));
        Reserved { memory: self.clone(), entry }
    }

    /// What all parts together can take now.
    pub fn bound(&self) -> Bound {
        let mut sums = BTreeMap::<String, u64>::new();
        for (what, bytes) in locked(&self.0).entries.values() {
            *sums.entry(what.clone()).or_default() += bytes;
        }
        let mut parts: Vec<_> = sums.into_iter().map(|(what, bytes)| (what, Size(bytes))).collect();
        parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        Bound { total: Size(parts.iter().map(|(_, size)| size.0).sum()), parts }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        locked(&self.memory.0).entries.remove(&self.entry);
    }
}

impl Bound {
    /// What for, as a person reads it.
    pub(crate) fn listed(&self) -> String {
        let parts = self.parts.iter().map(|(what, size)| format!("{what} {}", Rounded(size.0)));
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worst case {}", Rounded(self.total.0))?;
        if self.parts.is_empty() { Ok(()) } else { write!(f, " ({})", self.listed()) }
    }
}

/// Bytes as a person reads them.
pub(crate) struct Rounded(pub(crate) u64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < 10 << 10 => write!(f, "{bytes} B"),
            bytes if bytes < 10 << 20 => write!(f, "{} KiB", bytes.div_ceil(1 << 10)),
            bytes => write!(f, "{} MiB", bytes.div_ceil(1 << 20)),
        }
    }
}

/// Gives memory that was needed and is not any more back to the system, where the allocator would keep it.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "it is a function of the C library")]
    // SAFETY: it may be called at any time, by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_counts_until_it_is_given_back() {
        let memory = Memory::default();
        let (one, other) = (memory.reserve("rate-limit", 20 << 20), memory.reserve("rate-limit", 10 << 20));
        let tokens = memory.reserve("auth", 100);
        let bound = memory.bound();
        assert_eq!(bound.total, Size((30 << 20) + 100));
        assert_eq!(bound.to_string(), "worst case 31 MiB (rate-limit 30 MiB, auth 100 B)");
        assert_eq!(bound.listed(), "rate-limit 30 MiB, auth 100 B");
        drop((one, other, tokens));
        assert_eq!(memory.bound().to_string(), "worst case 0 B");
    }
}
