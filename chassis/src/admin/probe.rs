//! The probes: is the process alive, has it started, should calls be sent to it?

use std::fmt::Write;
use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::page::{Asked, Page, answer, plain};
use crate::lifecycle::{Lifecycle, Stage};

/// Something that readiness depends on.
pub struct Check {
    name: String,
    passes: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl Check {
    /// A check that `passes`, or says why not. It is asked with every probe, so it must not do I/O: whoever watches
    /// a dependency keeps the result of its last look, and this reads it.
    pub fn new(name: impl Into<String>, passes: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), passes: Box::new(passes) }
    }
}

/// The pages of the probes.
pub(super) fn pages(lifecycle: &Lifecycle, checks: Vec<Check>) -> Vec<Page> {
    let alive = Probe(vec![Check::new("process", || Ok(()))]);
    let started = Probe(vec![stage(lifecycle, |stage| stage >= Stage::Ready)]);
    let mut all = vec![stage(lifecycle, |stage| stage == Stage::Ready)];
    all.extend(checks);
    let ready = Arc::new(Probe(all));
    vec![
        Page::new("/livez", "whether the process runs", move |asked| alive.show(asked)),
        Page::new("/readyz", "whether calls should be sent here", move |asked| ready.show(asked)),
        Page::new("/startupz", "whether it has started", move |asked| started.show(asked)),
    ]
}

fn stage(lifecycle: &Lifecycle, passes: fn(Stage) -> bool) -> Check {
    let lifecycle = lifecycle.clone();
    Check::new("lifecycle", move || match lifecycle.stage() {
        stage if passes(stage) => Ok(()),
        Stage::Starting => Err("still starting".to_owned()),
        Stage::Ready => Err("ready".to_owned()),
        Stage::Draining => Err("draining".to_owned()),
        Stage::Stopping => Err("stopping".to_owned()),
    })
}

/// A probe: what it depends on.
struct Probe(Vec<Check>);

/// A check and its outcome; `None` if it was left out.
type Outcome<'a> = (&'a str, Option<Result<(), String>>);

impl Probe {
    fn show(&self, asked: &Asked<'_>) -> Response<Body> {
        let excluded: Vec<_> = asked.query("exclude").collect();
        let asked_for = |check: &&Check| asked.below.is_empty() || check.name == asked.below;
        let outcome = |check: &Check| (!excluded.contains(&check.name)).then(|| (check.passes)());
        let outcomes: Vec<Outcome<'_>> =
            self.0.iter().filter(asked_for).map(|check| (check.name.as_str(), outcome(check))).collect();
        if outcomes.is_empty() {
            return plain(StatusCode::NOT_FOUND, format!("There is no check `{}`.\n", asked.below));
        }
        let passes = outcomes.iter().all(|(_, outcome)| !matches!(outcome, Some(Err(_))));
        let status = if passes { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        if asked.wants_json() {
            return answer(status, "application/health+json", format!("{:#}\n", health(passes, &outcomes)));
        }
        // Who looks at a failure wants to know why.
        let verbose = !passes || asked.query("verbose").next().is_some();
        plain(status, if verbose { list(passes, &outcomes) } else { "ok\n".to_owned() })
    }
}

/// The list as Kubernetes' own servers write it.
fn list(passes: bool, outcomes: &[Outcome<'_>]) -> String {
    let mut text = String::new();
    for (name, outcome) in outcomes {
        // Writing to a string cannot fail.
        let _ = match outcome {
            Some(Ok(())) => writeln!(text, "[+]{name} ok"),
            Some(Err(why)) => writeln!(text, "[-]{name} failed: {why}"),
            None => writeln!(text, "[+]{name} excluded: ok"),
        };
    }
    text.push_str(if passes { "ok\n" } else { "not ok\n" });
    text
}

/// The document of draft-inadarei-api-health-check-06.
fn health(passes: bool, outcomes: &[Outcome<'_>]) -> Value {
    let status = |passes: bool| if passes { "pass" } else { "fail" };
    let checks = outcomes.iter().filter_map(|(name, outcome)| {
        let check = match outcome.as_ref()? {
            Ok(()) => json!([{ "status": "pass" }]),
            Err(why) => json!([{ "status": "fail", "output": why }]),
        };
        Some(((*name).to_owned(), check))
    });
    json!({ "status": status(passes), "checks": Value::Object(checks.collect()) })
}
