//! What is kept of calls that were refused, whoever refused them.

use std::future::pending;
use std::sync::Arc;

use chassis::operation::{Access, Operation};
use chassis::prelude::*;
use chassis::schema::{Endpoint, Mounted};
use serde_json::{Value, json};

use crate::rig::service;

/// Never answers.
struct Never;

impl Endpoint for Never {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_leads_to_whoever_gave_it_its_time() {
    for (yaml, handler, policy) in [
        ("timeout: 1s", Value::Null, json!("timeout")),
        (
            "{ timeout: 1m, handlers: { deadline: { max: 1s } }, chain: { provider: { default: [deadline, gate] } } }",
            json!("deadline"),
            json!("deadline"),
        ),
    ] {
        let operation = Operation::new("hand", "late", "GET", "/late").with_access(Access::Public);
        let late = Mounted { operation, endpoint: Arc::new(Never) };
        let app = service(yaml).mount_operations([late]).start().await.unwrap();
        let answer = app.get("/late").send().await;
        let problem: Value = answer.json();
        assert_eq!((&problem["handler"], &problem["policy"]), (&handler, &policy), "{problem}");
        let kept = app.running().provider().receipts().find(problem["refusal"].as_str().unwrap()).unwrap();
        assert_eq!((json!(kept.handler), kept.code, kept.enforced), (handler, "deadline-exceeded", true));
        assert_eq!(kept.evidence["allowed"], "1s");
        assert!(kept.remedy.is_some());
    }
}
