//! The pages that operators see of the calls: what is answered, what was measured, and what was refused.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use http::StatusCode;
use serde_json::json;

use super::routes;
use crate::admin::{Asked, Page, document, text};
use crate::conf::listing::Listing;
use crate::conf::source::Resource;
use crate::fault::Violation;
use crate::metrics::Metrics;
use crate::metrics::text::{Format, spell_of};
use crate::provider::{Provider, Receipts, Refusal};

/// Where the provider goes that the pages show. They are empty until it is there.
pub(super) type Shown = Arc<OnceLock<Provider>>;

/// `/routes`.
pub(super) fn of_routes(shown: &Shown) -> Page {
    let (text, json) = (Arc::clone(shown), Arc::clone(shown));
    Page::of(
        "/routes",
        "the operations, and the chain before each",
        move || text.get().map(|provider| routes::text(&provider.snapshot().targets)).unwrap_or_default(),
        move || json.get().map(|provider| routes::document(&provider.snapshot().targets)).unwrap_or_default(),
    )
}

/// `/conf`.
pub(super) fn of_conf(shown: &Shown, listing: Listing) -> Page {
    let (shown, json) = (Arc::clone(shown), listing.clone());
    let text = move || match shown.get() {
        Some(provider) => listing.titled(&provider.snapshot().revision),
        None => listing.to_string(),
    };
    Page::of("/conf", "the effective configuration, and where each value comes from", text, move || {
        serde_json::to_value(&json).unwrap_or_default()
    })
}

/// `/metrics`.
pub(super) fn of_metrics(metrics: Metrics, process: Resource) -> Page {
    Page::new("/metrics", "what was counted and measured, as Prometheus reads it", move |asked| {
        if !asked.below.is_empty() {
            return text(StatusCode::NOT_FOUND, PLAIN, "There is nothing below this page.\n".to_owned());
        }
        let format = Format::accepted(asked.accept());
        text(StatusCode::OK, format.media_type(), spell_of(&process, &metrics.families(), format))
    })
}

/// `/refusals` and `/refusals/ID`.
pub(super) fn of_refusals(receipts: Arc<Receipts>) -> Page {
    Page::new("/refusals", "the latest calls that handlers refused, and why; `/refusals/ID` shows one", move |asked| {
        match asked.below {
            "" if asked.wants_json() => {
                let all = json!({ "refusals": receipts.all(), "passed-over": receipts.passed_over() });
                document(StatusCode::OK, &all)
            }
            "" => text(StatusCode::OK, PLAIN, list(&receipts)),
            id => one(asked, receipts.find(id)),
        }
    })
}

const PLAIN: &str = "text/plain; charset=utf-8";

fn one(asked: &Asked<'_>, refusal: Option<Refusal>) -> http::Response<axum::body::Body> {
    match refusal {
        Some(refusal) => document(StatusCode::OK, &serde_json::to_value(refusal).unwrap_or_default()),
        None => {
            let id = asked.below;
            let said =
                format!("No refusal `{id}` is kept: later ones took its place, or it was one of too many at once.\n");
            text(StatusCode::NOT_FOUND, PLAIN, said)
        }
    }
}

fn list(receipts: &Receipts) -> String {
    let mut text = String::new();
    for refusal in receipts.all() {
        let Refusal { id, at, status, handler, policy, operation, method, path, enforced, .. } = &refusal;
        let policy = policy.as_deref().filter(|policy| handler.as_deref() != Some(policy));
        let by = handler.as_deref().into_iter().chain(policy).collect::<Vec<_>>().join("/");
        let operation = operation.as_deref().unwrap_or("-");
        let shadow = if *enforced { "" } else { " (spared)" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{at}  {id}  {status}  {by}{shadow}  {operation}  {method} {path}  {}", why(&refusal));
    }
    if receipts.passed_over() > 0 {
        let _ = writeln!(text, "{} more were not kept: too many came at once", receipts.passed_over());
    }
    text
}

/// What its caller read, with what was wrong.
fn why(refusal: &Refusal) -> String {
    let wrong =
        refusal.violations.iter().map(|Violation { place, pointer, detail }| format!(" {place} {pointer}: {detail}"));
    [refusal.detail.clone()].into_iter().chain(wrong).collect()
}
