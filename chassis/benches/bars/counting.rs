//! An allocator that counts, without threads getting into each other's way.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The system's allocator, counted.
pub(crate) struct Counting;

/// How many places there are. Threads take them in turn: two that share one were started this far apart.
const THREADS: usize = 32;

/// A counter on a cache line of its own.
#[repr(align(128))]
struct Counter(AtomicU64);

static COUNTERS: [Counter; THREADS] = [const { Counter(AtomicU64::new(0)) }; THREADS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PLACE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// How often memory was asked for since the start, by any thread.
pub(crate) fn allocations() -> u64 {
    COUNTERS.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum()
}

fn count() {
    let place = PLACE.with(|place| {
        if place.get() == usize::MAX {
            place.set(NEXT.fetch_add(1, Ordering::Relaxed) % THREADS);
        }
        place.get()
    });
    COUNTERS[place].0.fetch_add(1, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "a global allocator has no safe form; every call goes to the system's unchanged")]
// SAFETY: each method hands its arguments to `System` as they came and returns what it returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.dealloc(pointer, layout) }
    }
}
