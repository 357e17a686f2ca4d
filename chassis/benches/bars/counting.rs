//! An allocator that counts, without threads getting into each other's way.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

/// The system's allocator, counted.
pub(crate) struct Counting;

/// How many places there are. Threads take them in turn: two that share one were started this far apart.
const THREADS: usize = 32;

/// A counter on a cache line of its own.
#[repr(align(128))]
struct Counter(AtomicU64);

static COUNTERS: [Counter; THREADS] = [const { Counter(AtomicU64::new(0)) }; THREADS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Whether bytes are counted too: most of the time only how often memory is asked for.
static WEIGHED: AtomicBool = AtomicBool::new(false);
static HELD: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static PLACE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// How often memory was asked for since the start, by any thread.
pub(crate) fn allocations() -> u64 {
    COUNTERS.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum()
}

/// How many bytes more are held after this than before it.
pub(crate) fn grown_by(work: impl FnOnce()) -> i64 {
    HELD.store(0, Ordering::SeqCst);
    WEIGHED.store(true, Ordering::SeqCst);
    work();
    WEIGHED.store(false, Ordering::SeqCst);
    HELD.load(Ordering::SeqCst)
}

fn weigh(taken: usize, given_back: usize) {
    if WEIGHED.load(Ordering::Relaxed) {
        HELD.fetch_add(taken as i64 - given_back as i64, Ordering::Relaxed);
    }
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
        weigh(layout.size(), 0);
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        weigh(layout.size(), 0);
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        weigh(size, layout.size());
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        weigh(0, layout.size());
        // SAFETY: the caller's promise is `System`'s.
        unsafe { System.dealloc(pointer, layout) }
    }
}
