//! What one handler would do to a call, in words.

use crate::chain::{Form, Step, idle};
use crate::handler::{Outlook, Verdict};
use crate::invocation::Invocation;

/// What a handler decides, in words, and whether the call ends there.
pub(super) fn verdict(step: &Step, invocation: &mut Invocation) -> (String, bool) {
    if step.terms.as_ref().is_some_and(|terms| !terms.covers(invocation)) {
        return ("does not run: `when` does not hold of this call".to_owned(), false);
    }
    let enforced = step.terms.as_ref().map_or(1.0, |terms| terms.enforced);
    let Outlook { words, ends } = match enforced > 0.0 {
        true => outlook(&step.form, invocation),
        false => idle(invocation, |invocation| outlook(&step.form, invocation)),
    };
    match enforced {
        ..=0.0 if words != PASSES => (format!("passes as a shadow; otherwise it {words}"), false),
        0.0..1.0 if words != PASSES => {
            (format!("acts on {}% of calls; then it {words}", (enforced * 1e8).round() / 1e6), false)
        }
        _ => (words, ends),
    }
}

const PASSES: &str = "passes";

/// What a handler would do to a call that it may act on.
fn outlook(form: &Form, invocation: &mut Invocation) -> Outlook {
    let handler = match form {
        Form::Wrap(handler) => {
            return handler.outlook(invocation).unwrap_or_else(|| Outlook::passing("wraps what follows"));
        }
        Form::Hooks(handler) => handler,
    };
    if let Some(known) = handler.outlook(invocation) {
        return known;
    }
    match handler.before(invocation) {
        Verdict::Continue => Outlook::passing(PASSES),
        Verdict::Answer(reply) => Outlook { words: format!("answers {}", reply.status()), ends: true },
        Verdict::Refuse(fault) => Outlook::refusing(&fault),
        Verdict::Wait(waiting) => {
            let what = waiting.what().map(|what| format!(": {what}"));
            let what = what.as_deref().unwrap_or("; what for is not known offline");
            Outlook::passing(format!("waits before it decides{what}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::chain::Terms;
    use crate::conf::Configure;
    use crate::conf::fixture::built;
    use crate::handler::{Handler, Wrap};
    use crate::handlers::cors::Cors;
    use crate::handlers::csrf::Csrf;
    use crate::handlers::fault_injection::FaultInjection;
    use crate::handlers::idempotency::Idempotency;
    use crate::handlers::marker::Marker;
    use crate::invocation::{Mark, Params, fixture};
    use crate::operation::Operation;

    fn hooks<H: Handler + Configure>(conf: Value) -> Form {
        Form::Hooks(Arc::new(built::<H>(conf).unwrap()))
    }

    /// A call from a page of another origin.
    fn call(method: &str) -> Invocation {
        let operation = Operation::new("test", "one", "POST", "/");
        let mut call = fixture::with_operation(fixture::request(method, "/"), operation, Params::default());
        call.parts.headers.insert("origin", "https://evil.example".parse().unwrap());
        call.parts.headers.insert("access-control-request-method", "POST".parse().unwrap());
        call
    }

    fn said(form: Form, enforced: f64, call: &mut Invocation) -> (String, bool) {
        let terms = Terms { enforced, ..Terms::shadow("step") };
        let terms = (enforced < 1.0).then(|| Arc::new(terms));
        verdict(&Step { name: "step".into(), form, terms }, call)
    }

    #[tokio::test]
    async fn what_is_ordered_is_told_with_its_share_and_not_drawn() {
        let both = json!({ "delay": { "time": "1s" }, "abort": { "status": 503 } });
        let (words, ends) = said(hooks::<FaultInjection>(both), 1.0, &mut call("GET"));
        assert!(ends && words.starts_with("waits 1s, then refuses with 503 Service Unavailable: "), "{words}");
        let half = json!({ "abort": { "status": 503, "share": "50%" } });
        let (words, ends) = said(hooks::<FaultInjection>(half), 1.0, &mut call("GET"));
        assert!(!ends && words.starts_with("in 50% of calls refuses with 503"), "{words}");
        assert_eq!(said(hooks::<FaultInjection>(json!({})), 1.0, &mut call("GET")), ("passes".to_owned(), false));
    }

    #[test]
    fn a_shadow_and_a_share_are_told_with_what_would_have_to_change() {
        let (words, ends) = said(hooks::<Csrf>(json!({})), 0.0, &mut call("POST"));
        assert!(!ends && words.starts_with("passes as a shadow; otherwise it refuses with 403"), "{words}");
        assert!(words.ends_with("in `trusted-origins` of `csrf`, if it is yours."), "{words}");
        let (words, ends) = said(hooks::<Csrf>(json!({})), 0.1, &mut call("POST"));
        assert!(!ends && words.starts_with("acts on 10% of calls; then it refuses with 403"), "{words}");
        assert_eq!(said(hooks::<Csrf>(json!({})), 0.1, &mut call("GET")), ("passes".to_owned(), false));
    }

    #[test]
    fn the_mark_of_a_call_is_told_and_known_to_those_behind() {
        let mut call = call("GET");
        let rules = json!({ "rules": [{ "mark": "gold", "when": { "method": ["GET"] } }] });
        assert_eq!(said(hooks::<Marker>(rules), 1.0, &mut call), ("passes marked `gold`".to_owned(), false));
        assert!(call.call.locals.get::<Mark>().is_some());
    }

    #[test]
    fn a_preflight_that_is_granted_is_told_from_one_that_is_not() {
        let cors = |origin: &str| said(hooks::<Cors>(json!({ "origins": [origin] })), 1.0, &mut call("OPTIONS"));
        assert!(cors("https://evil.example").0.contains("lets pages of this origin call"));
        let (words, ends) = cors("https://app.example");
        assert!(ends && words.contains("grants nothing: list the origin in `origins`"), "{words}");
    }

    #[tokio::test]
    async fn what_wraps_and_refuses_by_the_call_alone_says_so() {
        let wrap = || Form::Wrap(Arc::new(built::<Idempotency>(json!({ "required": true })).unwrap()) as Arc<dyn Wrap>);
        let (words, ends) = said(wrap(), 1.0, &mut call("POST"));
        assert!(ends && words.starts_with("refuses with 400 Bad Request: "), "{words}");
        let mut keyed = call("POST");
        keyed.parts.headers.insert("idempotency-key", "\"k\"".parse().unwrap());
        assert!(said(wrap(), 1.0, &mut keyed).0.starts_with("passes the first call with this key"));
    }
}
