//! What a search for a route costs: nanoseconds (median of rounds) and heap allocations.

#![expect(unsafe_code, reason = "a global allocator that counts is unsafe to declare")]
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::expect_used, reason = "a bench whose routes are wrong has failed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use chassis::route::{Conf, Found, Route, Table};
use http::Method;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 41;
const CALLS: usize = 256;

type Call = (Method, String);

/// The median over rounds, in nanoseconds a call, and the allocations a call.
fn measure(table: &Table, calls: &[Call]) -> (f64, f64) {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut times = Vec::with_capacity(ROUNDS);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..ROUNDS {
        let picked: [&Call; CALLS] = std::array::from_fn(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            &calls[random as usize % calls.len()]
        });
        // A server has just read the path it searches for: it is in the cache, whatever the table is.
        black_box(picked.iter().flat_map(|(_, path)| path.bytes()).fold(0_u8, |sum, byte| sum ^ byte));
        let start = Instant::now();
        for (method, path) in picked {
            black_box(table.find(black_box(method), black_box(path)));
        }
        times.push(start.elapsed().as_nanos() as f64 / CALLS as f64);
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    times.sort_by(f64::total_cmp);
    (times[ROUNDS / 2], allocations as f64 / (ROUNDS * CALLS) as f64)
}

/// What a resource offers: method, template, path. `#` is its number.
const MIXED: [(&str, &str, &str, &str); 10] = [
    ("static", "GET", "/api/v1/resource#", "/api/v1/resource#"),
    ("parameter", "GET", "/api/v1/resource#/{id}", "/api/v1/resource#/7f3a"),
    ("parameter", "DELETE", "/api/v1/resource#/{id}", "/api/v1/resource#/7f3a"),
    ("two parameters", "GET", "/api/v1/resource#/{id}/parts/{part}", "/api/v1/resource#/7f3a/parts/wheel"),
    ("expression", "GET", "/api/v1/resource#/{id:[0-9]+}/items", "/api/v1/resource#/4711/items"),
    ("suffix", "GET", "/api/v1/resource#/{id}.json", "/api/v1/resource#/7f3a.json"),
    ("prefix", "GET", "/api/v1/resource#/v{major}/notes", "/api/v1/resource#/v2/notes"),
    ("verb", "POST", "/api/v1/resource#/{id}:cancel", "/api/v1/resource#/7f3a:cancel"),
    ("verb on text", "POST", "/api/v1/resource#:run", "/api/v1/resource#:run"),
    ("tail", "GET", "/files/resource#/{rest:*}", "/files/resource#/css/site/main.css"),
];

/// The first `count` of the mixed routes, and for each the kind and a call that it answers.
fn mixed(count: usize) -> (Table, Vec<(&'static str, Call)>) {
    let numbered = |text: &str, at: usize| text.replace('#', &(at / MIXED.len()).to_string());
    let (routes, calls): (Vec<_>, Vec<_>) = (0..count)
        .map(|at| {
            let (kind, method, template, path) = MIXED[at % MIXED.len()];
            let target = u32::try_from(at).unwrap_or_default();
            let route = Route { method: method.into(), template: numbered(template, at), target, place: String::new() };
            (route, (kind, (Method::from_bytes(method.as_bytes()).expect("a method"), numbered(path, at))))
        })
        .unzip();
    let table = Table::build(routes, Conf::default()).expect("routes that go together");
    for (at, (_, (method, path))) in calls.iter().enumerate() {
        let found = table.find(method, path);
        assert!(matches!(found, Found::Route { target, .. } if target as usize == at), "{path}: {found:?}");
    }
    (table, calls)
}

fn report(name: &str, table: &Table, calls: &[Call]) {
    let (nanoseconds, allocations) = measure(table, calls);
    println!("{name:<34} {nanoseconds:>8.1} ns {allocations:>6.2} alloc");
}

fn main() {
    for count in [10, 500, 1_000, 10_000] {
        let (table, calls) = mixed(count);
        let calls: Vec<_> = calls.into_iter().map(|(_, call)| call).collect();
        report(&format!("{count} mixed routes"), &table, &calls);
    }
    let (table, calls) = mixed(500);
    let mut kinds: Vec<_> = MIXED.iter().map(|(kind, ..)| *kind).collect();
    kinds.dedup();
    for kind in kinds {
        let calls: Vec<_> = calls.iter().filter(|(of, _)| *of == kind).map(|(_, call)| call.clone()).collect();
        report(&format!("  of 500: {kind}"), &table, &calls);
    }
    let escaped: Vec<_> = calls.iter().map(|(_, (method, path))| (method.clone(), path.replace('e', "%65"))).collect();
    report("  of 500: with escapes", &table, &escaped);
    report("  of 500: path unknown", &table, &[(Method::GET, "/api/v1/nothing/7f3a".to_owned())]);
    report("  of 500: method unknown", &table, &[(Method::PUT, "/api/v1/resource7/7f3a".to_owned())]);
    report("  of 500: 20,000 bytes", &table, &[(Method::GET, "/api/v1/resource7".repeat(1_177))]);
}
