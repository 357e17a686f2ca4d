//! Callers that are known by their certificates, and listeners that never ask for one.

use std::sync::Arc;

use chassis::operation::{Access, Operation};
use chassis::prelude::*;
use chassis::schema::{Endpoint, Mounted};

use crate::rig::{refusal, service};

struct Closed;

impl Endpoint for Closed {
    fn call<'a>(&'a self, _: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async { Reply::new("for known callers") })
    }
}

/// Why a service with an operation for known callers does not start.
async fn refused(yaml: &str) -> String {
    let operation = Operation::new("vault", "open", "GET", "/vault").with_access(Access::Auth);
    let mounted = Mounted { operation, endpoint: Arc::new(Closed) };
    let known =
        "chain: { provider: { default: [auth] } }\nhandlers: { auth: { mtls: { trust-domains: [a.example] } } }\n";
    refusal(service(&format!("{known}{yaml}")).mount_operations([mounted])).await
}

#[tokio::test]
async fn certificates_count_only_where_a_listener_asks_for_them() {
    let said = refused("protocols: { rest: { listen: ':0' } }").await;
    assert!(said.contains("no listener that serves these operations asks for certificates"), "{said}");
    assert!(said.contains("handlers.auth.mtls") && said.contains("client-ca"), "{said}");
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn a_file_that_is_not_there_is_said_with_its_place() {
    let said = refused("protocols: { rest: { tls: { certificate: none.crt, key: none.key, client-ca: ca } } }").await;
    assert!(said.contains("`none.crt` cannot be read") || said.contains("`ca` cannot be read"), "{said}");
    assert!(said.contains("protocols.rest.tls.") && said.contains("test-2.yaml:"), "{said}");
    assert!(!said.contains("asks for certificates"), "{said}");
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn a_program_that_speaks_no_tls_says_what_to_do() {
    let said = refused("protocols: { rest: { tls: { certificate: none.crt, key: none.key, client-ca: ca } } }").await;
    assert!(said.contains("features = [\"tls\"]") && said.contains("protocols.rest.tls"), "{said}");
}
