//! What configuration says about who may call an operation.

use chassis::prelude::*;

use crate::rig::{refusal, service, started};

/// Keeps things.
#[schema("/vault")]
struct Vault;

#[operations]
impl Vault {
    /// Shows what is kept.
    #[get("/", public)]
    fn show(&self) -> &'static str {
        "shown"
    }

    /// Takes something out.
    #[get("/out", auth)]
    fn take(&self) -> &'static str {
        "taken"
    }
}

async fn status(yaml: &str, path: &str) -> u16 {
    started(yaml).await.get(path).send().await.status().as_u16()
}

#[tokio::test]
async fn more_may_be_asked_of_callers_than_the_code_does() {
    assert_eq!(status("{}", "/vault").await, 200);
    assert_eq!(status("operations: { vault.show: { access: { to: auth } } }", "/vault").await, 401);
    assert_eq!(status("operations: { 'vault.*': { access: { scopes: [a] } } }", "/vault").await, 401);
    let named = "operations: { 'vault.*': { access: { roles: [a] } }, vault.show: { access: { to: public } } }";
    assert_eq!(status(named, "/vault").await, 200, "the more specific pattern decides");
}

#[tokio::test]
async fn less_is_asked_of_callers_only_for_a_reason_that_is_written_down() {
    let error = refusal(service("operations: { vault.take: { access: { to: public } } }")).await;
    for part in [
        "operations.vault.take.access",
        "`vault.take`: `public` lets callers pass whom the code keeps out, which says `auth`",
        "write down why, as `reason: \"…\"` beside it",
    ] {
        assert!(error.contains(part), "{error}");
    }
    let reasoned = "operations: { vault.take: { access: { to: public, reason: a gateway asks before us } } }";
    assert_eq!(status(reasoned, "/vault/out").await, 200);
}

#[tokio::test]
async fn what_is_asked_for_must_be_enforced() {
    let yaml = "{ chain: { provider: { default: [] } }, operations: { vault.show: { access: { to: auth } } } }";
    let error = refusal(service(yaml)).await;
    assert!(
        error.contains("nothing in chain `default` enforces the access of `vault.show`, which is `auth`"),
        "{error}"
    );
}
