//! Who may call what, and what those who may not are told.

use std::time::SystemTime;

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::json;

use super::*;
use crate::clock::Clock;
use crate::conf::{BuildContext, Configure, FileRef, Process};
use crate::fault::Fault;
use crate::handler::{Handler, Verdict};
use crate::handlers::auth::{Auth, Conf, Refusal};
use crate::invocation::{Invocation, Params, fixture};
use crate::operation::{Access, Operation};
use crate::principal::{Identity, Principal};
use crate::random::Random;

/// A file system with one file.
struct OneFile(Result<Vec<u8>, BuildError>);

impl crate::conf::Files for OneFile {
    fn read(&self, _: &FileRef) -> Result<Vec<u8>, BuildError> {
        self.0.clone()
    }
}

fn build(conf: Value, file: Result<Vec<u8>, BuildError>) -> Result<Auth, BuildError> {
    let conf: Conf = serde_json::from_value(conf).unwrap();
    let clock = Clock::anchored(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
    let (random, files) = (Random::seeded(1), OneFile(file));
    Auth::build(
        conf,
        &BuildContext {
            clock,
            random: &random,
            scope: None,
            files: &files,
            warnings: &crate::conf::Warnings::default(),
            process: &Process::default(),
        },
    )
}

/// The handler of most tests, with these values in place of some of its own.
fn auth(changes: Value) -> Auth {
    let mut conf = json!({ "jwt": { "issuer": ISSUER, "audience": AUDIENCE, "keys": { "file": "keys" } } });
    merge(&mut conf, changes);
    build(conf, Ok(secrets("a", SECRET).to_string().into_bytes())).unwrap()
}

fn call(access: Access, authorization: &[&str]) -> Invocation {
    let mut request = Request::get("/greetings");
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    let operation = Operation::new("greeting", "list", "GET", "/greetings").with_access(access);
    fixture::with_operation(request.body(Body::empty()).unwrap(), operation, Params::default())
}

/// Who the caller is once it passed, or what it is told.
fn outcome(auth: &Auth, mut call: Invocation) -> Result<Option<String>, Fault> {
    match auth.before(&mut call) {
        Verdict::Continue => Ok(call.call.principal.map(|principal| principal.subject().to_owned())),
        Verdict::Refuse(fault) => Err(fault),
        _ => panic!("neither passed nor refused"),
    }
}

fn passes(auth: &Auth, access: Access, authorization: &[&str]) -> Option<String> {
    outcome(auth, call(access, authorization)).unwrap()
}

/// The status, the challenge and the detail.
fn refused(auth: &Auth, access: Access, authorization: &[&str]) -> (u16, String, String) {
    let fault = outcome(auth, call(access, authorization)).unwrap_err();
    let headers = fault.headers();
    let challenge = headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    (fault.status().as_u16(), challenge.to_owned(), fault.detail().to_owned())
}

fn bearer(scopes: &str, roles: &[&str]) -> String {
    format!("Bearer {}", token(scopes, roles))
}

fn scopes(names: &'static [&'static str]) -> Access {
    Access::Scopes(names.iter().map(|name| (*name).into()).collect())
}

fn roles(names: &'static [&'static str]) -> Access {
    Access::Roles(names.iter().map(|name| (*name).into()).collect())
}

#[test]
fn without_a_token_the_challenge_names_no_error() {
    let (status, challenge, detail) = refused(&auth(json!({})), Access::Auth, &[]);
    assert_eq!((status, challenge.as_str()), (401, "Bearer realm=\"greeter\""));
    assert_eq!(detail, "This needs a known caller; send an access token as `Authorization: Bearer <token>`.");
    let (_, challenge, _) = refused(&auth(json!({})), Access::Auth, &["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    assert_eq!(challenge, "Bearer realm=\"greeter\"");
}

#[test]
fn with_a_bad_token_the_challenge_names_the_error() {
    let auth = auth(json!({ "realm": "a \"b\" \\" }));
    let (status, challenge, detail) = refused(&auth, Access::Auth, &["Bearer any"]);
    assert_eq!(status, 401);
    assert_eq!(
        challenge,
        "Bearer realm=\"a \\\"b\\\" \\\\\", error=\"invalid_token\", \
         error_description=\"The access token is malformed; send it as it was issued, after `Bearer`.\""
    );
    assert!(challenge.ends_with(&format!("{detail}\"")));
    let good = bearer("", &[]);
    let (status, challenge, _) = refused(&auth, Access::Auth, &[&good, &good]);
    assert!(status == 400 && challenge.contains("error=\"invalid_request\""), "{challenge}");
}

#[test]
fn every_refusal_fits_into_its_challenge() {
    for refusal in Refusal::ALL {
        let message = refusal.message();
        // RFC 6750 §3: no quotes, no backslashes.
        assert!(message.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'), "{message}");
    }
}

#[test]
fn a_known_caller_passes_where_only_that_is_asked() {
    let auth = auth(json!({}));
    assert_eq!(passes(&auth, Access::Auth, &[&bearer("", &[])]).as_deref(), Some("ada"));
    assert_eq!(passes(&auth, Access::Auth, &[&bearer("", &[])]).as_deref(), Some("ada"), "and when remembered");
}

#[test]
fn all_scopes_are_needed() {
    let auth = auth(json!({}));
    assert!(passes(&auth, scopes(&["a", "b"]), &[&bearer("b c a", &[])]).is_some());
    let (status, challenge, detail) = refused(&auth, scopes(&["a", "b"]), &[&bearer("a", &["b"])]);
    assert_eq!(
        (status, challenge.as_str()),
        (403, "Bearer realm=\"greeter\", error=\"insufficient_scope\", scope=\"a b\"")
    );
    assert_eq!(detail, "This needs the scopes `a`, `b`; get a token that grants them.");
}

#[test]
fn one_role_is_enough() {
    let auth = auth(json!({}));
    assert!(passes(&auth, roles(&["admin", "owner"]), &[&bearer("", &["owner"])]).is_some());
    let (status, challenge, detail) = refused(&auth, roles(&["admin", "owner"]), &[&bearer("admin", &[])]);
    assert_eq!((status, challenge.as_str()), (403, "Bearer realm=\"greeter\", error=\"insufficient_scope\""));
    assert_eq!(detail, "This needs one of the roles `admin`, `owner`.");
    assert_eq!(refused(&auth, roles(&[]), &[&bearer("", &["admin"])]).0, 403, "no role is had by nobody");
}

#[test]
fn a_scope_that_cannot_be_quoted_is_left_out_of_the_challenge() {
    let (_, challenge, _) = refused(&auth(json!({})), scopes(&["a\" realm=\"b", "ü"]), &[&bearer("", &[])]);
    assert_eq!(challenge, "Bearer realm=\"greeter\", error=\"insufficient_scope\"");
}

#[test]
fn what_is_public_is_open_to_all_and_knows_its_callers() {
    let auth = auth(json!({}));
    assert_eq!(passes(&auth, Access::Public, &[]), None);
    assert_eq!(passes(&auth, Access::Public, &["Bearer any"]), None);
    assert_eq!(passes(&auth, Access::Public, &[&bearer("", &[])]).as_deref(), Some("ada"));
}

#[test]
fn a_bad_token_is_refused_even_where_public_if_so_configured() {
    let auth = auth(json!({ "public-with-bad-token": "refuse" }));
    assert_eq!(refused(&auth, Access::Public, &["Bearer any"]).0, 401);
    assert_eq!(passes(&auth, Access::Public, &["Basic QWxhZGRpbg=="]), None);
    assert_eq!(passes(&auth, Access::Public, &[]), None);
}

#[test]
fn what_matched_nothing_passes() {
    let mut call = fixture::call(fixture::request("GET", "/nothing"));
    call.parts.headers.insert(header::AUTHORIZATION, "Bearer any".parse().unwrap());
    assert_eq!(outcome(&auth(json!({})), call).unwrap(), None);
}

#[test]
fn a_token_in_the_query_is_no_token() {
    let operation = Operation::new("greeting", "list", "GET", "/greetings");
    let request = fixture::request("GET", &format!("/greetings?access_token={}", token("", &[])));
    let call = fixture::with_operation(request, operation, Params::default());
    assert_eq!(outcome(&auth(json!({})), call).unwrap_err().status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn who_is_known_by_other_means_needs_no_token() {
    let auth = auth(json!({}));
    let known = |authorization: &[&str]| {
        let mut call = call(Access::Auth, authorization);
        call.call.principal = Some(Principal::new(Identity { subject: "peer".to_owned(), ..Identity::default() }));
        outcome(&auth, call)
    };
    assert_eq!(known(&[]).unwrap().as_deref(), Some("peer"));
    assert_eq!(known(&[&bearer("", &[])]).unwrap().as_deref(), Some("ada"), "a token says more");
    assert_eq!(known(&["Bearer any"]).unwrap_err().status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn the_token_stays_out_of_what_is_said_and_logged() {
    let secret = bearer("", &[]).replace("eyJ", "eyK");
    let fault = outcome(&auth(json!({})), call(Access::Auth, &[&secret])).unwrap_err();
    let said = format!("{fault} {fault:?} {:?}", fault.headers());
    assert!(said.contains("token refused: Malformed"), "{said}");
    assert!(!secret.split(['.', ' ']).skip(1).any(|part| said.contains(part)), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_remembered_token_is_refused_after_its_expiry() {
    let auth = auth(json!({}));
    let authorization = bearer("", &[]);
    let status = || outcome(&auth, call(Access::Auth, &[&authorization])).err().map(|fault| fault.status());
    assert_eq!(status(), None);
    tokio::time::advance(HOUR - Duration::from_secs(1)).await;
    assert_eq!(status(), None);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(status(), Some(StatusCode::UNAUTHORIZED));
}

#[test]
fn without_a_way_to_prove_anything_only_what_is_public_is_served() {
    let public = Operation::new("greeting", "hello", "GET", "/").with_access(Access::Public);
    let private = Operation::new("greeting", "remember", "POST", "/").with_access(scopes(&["a"]));
    let none = || Err(BuildError::new("", "not there"));
    let open = build(json!({}), none()).unwrap();
    let suits = |operations: &[&Operation]| Auth::suits(&Conf::default(), operations);
    assert_eq!(suits(&[&public]), Ok(()));
    assert_eq!(refused(&open, Access::Auth, &[&bearer("", &[])]).0, 401);
    let error = suits(&[&public, &private]).unwrap_err();
    assert_eq!(error.to_string(), "`jwt`: nobody could call `greeting.remember`, whose access is scopes(a)");
}

#[test]
fn what_is_wrong_is_said_with_the_whole_key() {
    let conf = json!({ "jwt": { "issuer": ISSUER, "audience": AUDIENCE, "keys": { "file": "keys" } } });
    let unreadable = build(conf.clone(), Err(BuildError::new("", "not there"))).err().unwrap();
    assert_eq!(unreadable.to_string(), "`jwt.keys.file`: not there");
    let broken = build(conf, Ok(b"{}".to_vec())).err().unwrap();
    assert_eq!(broken.at, "jwt.keys.file");
    assert_eq!(build(json!({ "realm": "é" }), Ok(Vec::new())).err().unwrap().at, "realm");
}
