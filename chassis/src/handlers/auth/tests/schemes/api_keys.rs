//! API keys, alone and beside tokens.

use super::*;

fn keys() -> Value {
    json!({ "api-keys": { "file": "keys" } })
}

fn both() -> Value {
    json!({ "jwt": jwt(), "api-keys": { "file": "keys", "query": "key" } })
}

#[tokio::test]
async fn a_key_names_its_caller_and_what_it_may() {
    let auth = auth(keys());
    assert_eq!(passes(&auth, &[("x-api-key", KEY)]).await, "api-key:billing");
    let access = |access| called(&auth, access, "/", &[("x-api-key", KEY)]);
    assert!(access(Access::Scopes(vec!["read".into()].into())).await.is_ok());
    assert!(access(Access::Roles(vec!["machine".into()].into())).await.is_ok());
    let fault = access(Access::Scopes(vec!["write".into()].into())).await.unwrap_err();
    assert_eq!(told(&fault), (403, vec![]));
}

#[tokio::test]
async fn another_key_is_refused_and_so_is_none() {
    let auth = auth(keys());
    let challenge = vec!["ApiKey realm=\"chassis\"".to_owned()];
    for fields in [&[("x-api-key", "Secret")][..], &[("x-api-key", "")], &[], &[("authorization", "Bearer secret")]] {
        assert_eq!(refused(&auth, fields).await, (401, challenge.clone()), "{fields:?}");
    }
    let fault = called(&auth, Access::Auth, "/", &[]).await.unwrap_err();
    assert_eq!(fault.detail(), "This needs a known caller; send an API key as `X-API-Key: <key>`.");
}

#[tokio::test]
async fn a_key_in_the_query_counts_only_where_that_is_configured() {
    let target = "/greetings?a=b&key=secret";
    let open = called(&auth(both()), Access::Auth, target, &[]).await.unwrap();
    assert_eq!(open, "api-key:billing");
    let escaped = called(&auth(both()), Access::Auth, "/?key=%73ecret", &[]).await.unwrap();
    assert_eq!(escaped, "api-key:billing");
    assert_eq!(told(&called(&auth(keys()), Access::Auth, target, &[]).await.unwrap_err()).0, 401);
}

#[tokio::test]
async fn a_key_in_the_query_is_seen_by_nobody_else() {
    let auth = auth(both());
    let left = |target: &str, access: Option<Access>| {
        let request = Request::get(target).header("authorization", "Bearer any").body(Body::empty()).unwrap();
        let operation = Operation::new("greeting", "list", "GET", "/greetings");
        let mut call = match access {
            Some(access) => fixture::with_operation(request, operation.with_access(access), Params::default()),
            None => fixture::call(request),
        };
        let _ = auth.before(&mut call);
        call.uri().to_string()
    };
    for access in [Some(Access::Auth), Some(Access::Public), None] {
        for (sent, expected) in [
            ("/greetings?key=secret", "/greetings"),
            ("/greetings?a=b&key=secret&c=%20d", "/greetings?a=b&c=%20d"),
            ("/greetings?key=one&a&k%65y=two&&b=", "/greetings?a&&b="),
            ("http://host/greetings?key", "http://host/greetings"),
            ("/greetings?keys=1&a=key=2", "/greetings?keys=1&a=key=2"),
            ("/greetings?", "/greetings?"),
        ] {
            assert_eq!(left(sent, access.clone()), expected, "{access:?}");
        }
    }
}

#[tokio::test]
async fn the_proof_that_is_there_decides_which_scheme_judges() {
    let auth = auth(both());
    let good = format!("Bearer {}", token("", &[]));
    assert_eq!(passes(&auth, &[("authorization", &good)]).await, "jwt:ada");
    assert_eq!(passes(&auth, &[("x-api-key", KEY)]).await, "api-key:billing");
    // A key that is not known is not made up for by anything else.
    assert_eq!(refused(&auth, &[("x-api-key", "other")]).await.0, 401);
    let (status, challenges) = refused(&auth, &[]).await;
    assert_eq!((status, challenges), (401, vec!["Bearer realm=\"greeter\"".into(), "ApiKey realm=\"greeter\"".into()]));
    let (_, challenges) = refused(&auth, &[("authorization", "Bearer any")]).await;
    assert!(challenges[0].contains("invalid_token") && challenges.len() == 2, "{challenges:?}");
}

#[tokio::test]
async fn two_proofs_are_refused_whatever_they_are() {
    let auth = auth(both());
    let good = format!("Bearer {}", token("", &[]));
    for (target, fields) in [
        ("/", &[("authorization", good.as_str()), ("x-api-key", KEY)][..]),
        ("/", &[("authorization", "Bearer any"), ("x-api-key", "any")]),
        ("/", &[("x-api-key", KEY), ("x-api-key", KEY)]),
        ("/?key=secret", &[("x-api-key", KEY)]),
        ("/?key=secret&key=secret", &[]),
        ("/?key=secret", &[("authorization", &good)]),
    ] {
        let fault = called(&auth, Access::Auth, target, fields).await.unwrap_err();
        assert_eq!(fault.status().as_u16(), 400, "{target} {fields:?}");
        assert!(called(&auth, Access::Public, target, fields).await.is_ok(), "what is public stays open");
    }
}

#[test]
fn what_is_wrong_is_said_with_the_whole_key() {
    let wrong = |conf: Value| build(json!({ "api-keys": conf })).err().unwrap().to_string();
    assert_eq!(wrong(json!({ "file": "none" })), "`api-keys.file`: not there");
    assert_eq!(wrong(json!({ "file": "broken" })), "`api-keys.file`: line 1 has no digest of a key after its name");
    let header = |name: &str| wrong(json!({ "file": "keys", "header": name }));
    assert_eq!(header("a b"), "`api-keys.header`: `a b` is no name of a header field");
    assert_eq!(header("Authorization"), "`api-keys.header`: `authorization` means something else already");
}

#[tokio::test]
async fn the_key_stays_out_of_what_is_said_and_refusals_are_counted() {
    let (auth, process) = build(both()).unwrap();
    let fault = called(&auth, Access::Auth, "/", &[("x-api-key", "hunter2")]).await.unwrap_err();
    let said = format!("{fault} {fault:?} {:?}", fault.headers());
    assert!(said.contains("credentials refused: ApiKey") && !said.contains("hunter2"), "{said}");
    refused(&auth, &[("authorization", "Bearer any")]).await;
    refused(&auth, &[]).await;
    let families = process.metrics.families();
    let refused = families.iter().find(|family| family.spec.name == "chassis.auth.refused").unwrap();
    let shown = format!("{:?}", refused.series);
    for reason in ["unknown-key", "malformed", "missing"] {
        assert!(shown.contains(reason), "{shown}");
    }
}
