//! Puts a whole axum router below a prefix, as two operations of the same chain as all others.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use http::Uri;
use http::uri::PathAndQuery;
use tower::ServiceExt;

use crate::argument::foreign::lend;
use crate::invocation::Invocation;
use crate::operation::{Access, Operation, Text};
use crate::reply::Reply;
use crate::schema::{BoxFuture, Endpoint, Mounted, join};

/// Makes the operations `NAME.index` (the prefix itself) and `NAME.rest` (everything below it), which answer any
/// method with what `router` answers. The router sees paths without the prefix, as `axum::Router::nest` shows them, and
/// the caller as an extension of type [`Principal`](crate::principal::Principal).
pub fn mount_router(name: impl Into<Text>, prefix: &str, access: &Access, router: Router) -> Vec<Mounted> {
    let name = name.into();
    let prefix = prefix.trim_end_matches('/');
    let endpoint: Arc<dyn Endpoint> = Arc::new(Nested { depth: prefix.len(), router });
    [("index", join(prefix, "")), ("rest", join(prefix, "{rest:*}"))]
        .into_iter()
        .map(|(method, template)| Mounted {
            operation: Operation::new(name.clone(), method, "*", template).with_access(access.clone()),
            endpoint: Arc::clone(&endpoint),
        })
        .collect()
}

struct Nested {
    // How many bytes of the path belong to the prefix, which has no parameters.
    depth: usize,
    router: Router,
}

impl Endpoint for Nested {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        let (mut request, lent) = lend(invocation);
        *request.uri_mut() = below(request.uri(), self.depth);
        if let Some(principal) = &invocation.call.principal {
            request.extensions_mut().insert(principal.clone());
        }
        let router = self.router.clone();
        Box::pin(async move {
            let response = match lent.to(&invocation.call, router.oneshot(request)).await {
                Ok(response) => response,
                Err::<_, Infallible>(never) => match never {},
            };
            let failed = response.status().is_client_error() || response.status().is_server_error();
            // Its extractors say 400 to most of what can be wrong with a body.
            lent.fault().filter(|_| failed).map_or_else(|| Reply::from(response), Reply::from)
        })
    }
}

/// The same target without the first `depth` bytes of its path.
fn below(uri: &Uri, depth: usize) -> Uri {
    let path = uri.path().get(depth..).unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut parts = uri.clone().into_parts();
    // A part of a valid target is a valid target; the whole one is served if that were ever not so.
    match PathAndQuery::try_from(format!("{slash}{path}{query}")) {
        Ok(target) => parts.path_and_query = Some(target),
        Err(_) => return uri.clone(),
    }
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_sees_paths_without_its_prefix() {
        for (given, seen) in [("/v1", "/"), ("/v1/", "/"), ("/v1/a/b?c=d", "/a/b?c=d"), ("http://h/v1/a", "http://h/a")]
        {
            let uri: Uri = given.parse().expect("a valid target");
            assert_eq!(below(&uri, "/v1".len()).to_string(), seen);
        }
    }
}
