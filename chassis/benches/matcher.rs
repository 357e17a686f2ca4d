//! What a search for a route costs: nanoseconds (median of rounds) and heap allocations.

#![expect(unsafe_code, reason = "a global allocator that counts is unsafe to declare")]
#![expect(clippy::print_stdout, reason = "the table is what this program is for")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::expect_used, reason = "a bench whose routes are wrong has failed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeSet;
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

const ROUNDS: usize = 641;
// Few enough that the paths of a round stay in the nearest cache, where a server that has just read one has it.
const CALLS: usize = 64;

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
        // The paths are read now, whatever the table is.
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

/// What a resource with a name of its own offers, so that not all texts are equally long. `#` is that name.
const NAMED: [(&str, &str, &str, &str); 10] = [
    ("static", "GET", "/#", "/#"),
    ("static", "POST", "/#", "/#"),
    ("deep static", "GET", "/#/search/recent/mine", "/#/search/recent/mine"),
    ("parameter", "GET", "/#/{id}", "/#/0192f3c4-5b6d-7e8f-9a0b-c1d2e3f4a5b6"),
    ("parameter", "PATCH", "/#/{id}", "/#/0192f3c4-5b6d-7e8f-9a0b-c1d2e3f4a5b6"),
    (
        "deep",
        "GET",
        "/#/{id}/members/{who}/rights/{right}",
        "/#/0192f3c4-5b6d-7e8f-9a0b-c1d2e3f4a5b6/members/ada/rights/write",
    ),
    ("expression", "GET", "/#/{id:[0-9]+}/items", "/#/471100815/items"),
    ("suffix", "GET", "/#/{id}.json", "/#/471100815.json"),
    ("verb", "POST", "/#/{id}:cancel", "/#/0192f3c4-5b6d-7e8f-9a0b-c1d2e3f4a5b6:cancel"),
    ("tail", "GET", "/static/#/{rest:*}", "/static/#/css/site/main.css"),
];

const AREAS: [&str; 4] = ["api/v1", "api/v2", "internal", "admin/api"];
const THINGS: [&str; 20] = [
    "user",
    "order",
    "invoice",
    "cart",
    "session",
    "device",
    "audit",
    "payment",
    "address",
    "tag",
    "webhook",
    "report",
    "team",
    "project",
    "attachment",
    "calendar",
    "event",
    "key",
    "deployment",
    "snapshot",
];
const KINDS: [&str; 5] = ["s", "-groups", "-types", "-templates", "-v2"];

/// A route of some kind, and a call that it answers.
type Sample = (&'static str, &'static str, String, String);

/// The first `count` of the mixed routes.
fn mixed(count: usize) -> Vec<Sample> {
    samples(&MIXED, count, |resource| resource.to_string())
}

/// The first `count` of the routes of resources with names, in an order that is none.
fn named(count: usize) -> Vec<Sample> {
    samples(&NAMED, count, |resource| {
        let at = resource * 37 % (AREAS.len() * THINGS.len() * KINDS.len());
        let (area, rest) = (AREAS[at % AREAS.len()], at / AREAS.len());
        format!("{area}/{}{}", THINGS[rest % THINGS.len()], KINDS[rest / THINGS.len()])
    })
}

fn samples(
    of: &[(&'static str, &'static str, &str, &str)],
    count: usize,
    name: impl Fn(usize) -> String,
) -> Vec<Sample> {
    let sample = |at: usize| {
        let (kind, method, template, path) = of[at % of.len()];
        let name = name(at / of.len());
        (kind, method, template.replace('#', &name), path.replace('#', &name))
    };
    (0..count).map(sample).collect()
}

/// One route that is all parameters, and one that is all text.
fn deep() -> [Sample; 2] {
    let repeat = |part: fn(usize) -> String| (0..50).map(part).collect::<String>();
    let (values, text) = (repeat(|at| format!("/value{at}")), repeat(|at| format!("/segment-{at}")));
    [("50 parameters", "GET", repeat(|at| format!("/{{p{at}}}")), values), ("50 texts", "GET", text.clone(), text)]
}

/// The table of some routes, and for each the kind and the call that it answers.
fn table(samples: Vec<Sample>) -> (Table, Vec<(&'static str, Call)>) {
    let (routes, calls): (Vec<_>, Vec<_>) = samples
        .into_iter()
        .zip(0..)
        .map(|((kind, method, template, path), target)| {
            let route = Route { method: method.into(), template, target, place: String::new() };
            (route, (kind, (Method::from_bytes(method.as_bytes()).expect("a method"), path)))
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

/// Reports all calls, then those of each kind.
fn report_kinds(name: &str, table: &Table, calls: &[(&'static str, Call)]) {
    let of = |kind: Option<&str>| {
        let calls = calls.iter().filter(|(of, _)| kind.is_none_or(|kind| *of == kind));
        calls.map(|(_, call)| call.clone()).collect::<Vec<_>>()
    };
    report(name, table, &of(None));
    let kinds: BTreeSet<_> = calls.iter().map(|(kind, _)| *kind).collect();
    for kind in kinds {
        report(&format!("  {kind}"), table, &of(Some(kind)));
    }
}

fn main() {
    for count in [10, 1_000, 10_000] {
        let (table, calls) = table(mixed(count));
        let calls: Vec<_> = calls.into_iter().map(|(_, call)| call).collect();
        report(&format!("{count} mixed routes"), &table, &calls);
    }
    let (other, calls) = table(named(500));
    report_kinds("500 named routes", &other, &calls);
    for sample in deep() {
        let (table, calls) = table(vec![sample]);
        report(calls[0].0, &table, &[calls[0].1.clone()]);
    }
    let (table, calls) = table(mixed(500));
    report_kinds("500 mixed routes", &table, &calls);
    let escaped: Vec<_> = calls.iter().map(|(_, (method, path))| (method.clone(), path.replace('e', "%65"))).collect();
    report("  with escapes", &table, &escaped);
    report("  path unknown", &table, &[(Method::GET, "/api/v1/nothing/7f3a".to_owned())]);
    report("  method unknown", &table, &[(Method::PUT, "/api/v1/resource7/7f3a".to_owned())]);
    report("  20,000 bytes", &table, &[(Method::GET, "/api/v1/resource7".repeat(1_177))]);
}
