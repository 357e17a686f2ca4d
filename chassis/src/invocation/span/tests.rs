//! Proves when the span of a call is made.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tracing::field::Empty;
use tracing::{info_span, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, fmt};

use super::*;
use crate::invocation::fixture::Page;

/// A call, and how often its span was made.
fn call(number: u64) -> (CallSpan, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let span = CallSpan::on_demand(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        info_span!("call", number, noted = Empty)
    });
    (span, made)
}

/// The spans that the latest line stands in, the outermost first.
fn spans(page: &Page) -> Vec<Value> {
    let text = page.text();
    let line: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    line["spans"].as_array().cloned().unwrap_or_default()
}

#[test]
fn another_subscriber_gets_the_span_at_once() {
    let page = Page::default();
    tracing::subscriber::with_default(page.subscriber(), || {
        let (span, made) = call(1);
        assert!(made.load(Ordering::Relaxed) == 1 && span.made().is_some());
        let entered = span.enter();
        assert!(!Span::current().is_disabled());
        drop(entered);
        assert!(Span::current().is_disabled());
    });
    let none = CallSpan::from(Span::none());
    assert!(none.is_disabled() && none.look().is_none() && none.enter().outer.is_none());
}

/// It sets the subscriber of its process, which must not be the one of the other tests.
#[test]
fn a_span_is_made_by_whoever_looks() {
    let name = "invocation::span::tests::in_a_process_of_its_own";
    let output = Command::new(std::env::current_exe().unwrap()).args(["--exact", "--ignored", name]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[test]
#[ignore = "`a_span_is_made_by_whoever_looks` starts it"]
fn in_a_process_of_its_own() {
    let page = Page::default();
    let writer = page.clone();
    let lines = fmt::layer().json().with_span_list(true).with_writer(move || writer.clone());
    let subscriber = OnDemand::new(Registry::default().with(LevelFilter::INFO).with(lines));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    lines_carry_the_span_and_make_it_once(&page);
    spans_inside_stand_in_it(&page);
    whoever_takes_the_current_span_gets_it(&page);
    calls_that_take_turns_are_told_apart(&page);
}

fn lines_carry_the_span_and_make_it_once(page: &Page) {
    let (span, made) = call(1);
    span.record("noted", "before");
    drop(span.enter());
    assert_eq!((made.load(Ordering::Relaxed), span.made().is_none()), (0, true), "nobody looked");
    let entered = span.enter();
    warn!("one");
    assert_eq!((&spans(page)[0]["number"], &spans(page)[0]["noted"]), (&1.into(), &"before".into()));
    warn!("two");
    drop(entered);
    warn!("outside");
    assert_eq!((spans(page).len(), made.load(Ordering::Relaxed)), (0, 1));
    let _entered = span.enter();
    warn!("inside again");
    assert_eq!((spans(page).len(), made.load(Ordering::Relaxed)), (1, 1));
}

fn spans_inside_stand_in_it(page: &Page) {
    let (span, _) = call(2);
    let elsewhere = info_span!("elsewhere");
    let entered = span.enter();
    info_span!("inner").in_scope(|| warn!("inside"));
    assert_eq!((spans(page).len(), &spans(page)[0]["number"]), (2, &2.into()));
    drop(entered);
    let (span, _) = call(3);
    let _entered = span.enter();
    elsewhere.in_scope(|| warn!("inside of another"));
    assert_eq!(spans(page)[0]["name"], "elsewhere");
}

fn whoever_takes_the_current_span_gets_it(page: &Page) {
    let (span, _) = call(4);
    let entered = span.enter();
    let taken = Span::current();
    drop(entered);
    std::thread::scope(|scope| _ = scope.spawn(|| taken.in_scope(|| warn!("elsewhere"))));
    assert_eq!(spans(page)[0]["number"], 4);
    let (span, made) = call(5);
    let entered = span.enter();
    assert!(span.look().is_some() && !Span::current().is_disabled());
    drop(entered);
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

fn calls_that_take_turns_are_told_apart(page: &Page) {
    let ((one, _), (two, made)) = (call(6), call(7));
    let outer = one.enter();
    drop(two.enter());
    warn!("of one");
    assert_eq!((spans(page).len(), &spans(page)[0]["number"]), (1, &6.into()));
    drop(outer);
    let outer = two.enter();
    {
        let _inner = one.enter();
        warn!("of one again");
    }
    assert_eq!(made.load(Ordering::Relaxed), 0);
    warn!("of two");
    assert_eq!((spans(page).len(), &spans(page)[0]["number"]), (1, &7.into()));
    drop(outer);
}
