//! The cases of group E: what users of go-chassis rely on. E17, whose `/metrics` is on the admin listener here, is
//! proved where that is.

use super::*;

/// The words of RFC 7617 §2.
const ALADDIN: &str = "QWxhZGRpbjpvcGVuIHNlc2FtZQ==";

fn users() -> Auth {
    auth(json!({ "basic": { "file": "users" }, "realm": "test-realm" }))
}

fn tokens(algorithm: &str, file: &str) -> Auth {
    let mut jwt = jwt();
    merge(&mut jwt, json!({ "algorithms": [algorithm], "keys": { "file": file } }));
    auth(json!({ "jwt": jwt }))
}

async fn status(auth: &Auth, authorization: &str) -> u16 {
    refused(auth, &[("authorization", authorization)]).await.0
}

#[tokio::test]
async fn e01_basic_without_the_field_is_401() {
    assert_eq!(refused(&users(), &[]).await.0, 401);
}

#[tokio::test]
async fn e02_basic_without_its_scheme_is_401() {
    assert_eq!(status(&users(), ALADDIN).await, 401);
}

#[tokio::test]
async fn e03_basic_knows_the_user_by_the_password() {
    let sent = format!("Basic {ALADDIN}");
    assert_eq!(passes(&users(), &[("authorization", &sent)]).await, "basic:Aladdin");
}

#[tokio::test]
async fn e03_the_user_ends_at_the_first_colon_and_the_password_nowhere() {
    for (user, password) in [("colon", "a:b:"), ("none", ""), ("test", "123£")] {
        let sent = basic(user, password);
        assert_eq!(passes(&users(), &[("authorization", &sent)]).await, format!("basic:{user}"));
    }
    for (user, password) in
        [("colon", "a:b"), ("colon", "a"), ("none", " "), ("", "open sesame"), ("aladdin", "open sesame")]
    {
        assert_eq!(status(&users(), &basic(user, password)).await, 401, "{user}:{password}");
    }
}

#[tokio::test]
async fn e04_the_scheme_is_read_in_any_case() {
    for scheme in ["basic", "BASIC", "bAsIc "] {
        let sent = format!("{scheme} {ALADDIN}");
        assert_eq!(passes(&users(), &[("authorization", &sent)]).await, "basic:Aladdin");
    }
}

#[tokio::test]
async fn e06_no_base64_and_no_colon_are_401() {
    for sent in ["%%%", "QWxhZGRpbg==", "", "AAAA AAAA", "Og==Og==", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==,", "w6k6/w=="] {
        assert_eq!(status(&users(), &format!("Basic {sent}")).await, 401, "{sent}");
    }
}

#[tokio::test]
async fn e07_a_known_user_that_may_not_is_403() {
    let (auth, sent) = (users(), format!("Basic {ALADDIN}"));
    let fields = [("authorization", sent.as_str())];
    let access = |role: &'static str| called(&auth, Access::Roles(vec![role.into()].into()), "/", &fields);
    assert_eq!(told(&access("sultan").await.unwrap_err()), (403, vec![]));
    assert_eq!(access("genie").await.unwrap(), "basic:Aladdin");
}

#[tokio::test]
async fn e07_whoever_asks_why_learns_who_was_refused_and_what_was_missing() {
    let (mut jwt, granted) = (jwt(), json!({ "scope": "greetings:read", "roles": ["guest"] }));
    merge(&mut jwt, json!({ "keys": { "file": "jwks" } }));
    let auth = auth(json!({ "jwt": jwt }));
    let sent = format!("Bearer {}", signed(&json!({ "alg": "HS256", "kid": "a" }), &claims(granted)));
    let refused = |access: Access| {
        let request = Request::get("/").header(header::AUTHORIZATION, &sent).body(Body::empty()).unwrap();
        let operation = Operation::new("test", "test", "GET", "/").with_access(access);
        let mut call = fixture::with_operation(request, operation, Params::default());
        let Verdict::Refuse(fault) = auth.before(&mut call) else { panic!("it passes") };
        assert_eq!(call.call.principal.unwrap().subject(), "ada");
        let had: Vec<_> = fault.evidence().map(|(name, value)| format!("{name} {value}")).collect();
        assert_eq!(had, [r#"scopes ["greetings:read"]"#, r#"roles ["guest"]"#]);
        fault.remedy().unwrap().to_owned()
    };
    let scopes = ["greetings:read", "greetings:write"].map(Into::into);
    assert_eq!(refused(Access::Scopes(scopes.to_vec().into())), "Grant `ada` `greetings:write` as well.");
    assert_eq!(refused(Access::Roles(vec!["admin".into()].into())), "Give `ada` one of them.");
}

#[tokio::test]
async fn e08_a_401_says_how_to_prove_oneself() {
    let (_, challenges) = refused(&users(), &[]).await;
    assert_eq!(challenges, ["Basic realm=\"test-realm\", charset=\"UTF-8\""]);
}

/// The name that an operation sees in the claims of a token which this secret signed.
fn seen(auth: &Auth, secret: &[u8]) -> Option<String> {
    let signer = signer(Algorithm::HS256, EncodingKey::from_secret(secret));
    let token = signer.sign(&json!({ "alg": "HS256", "kid": "a" }), &claims(json!({ "username": "peter" }))).unwrap();
    let sent = format!("Bearer {token}");
    let request = Request::get("/api").header(header::AUTHORIZATION, sent).body(Body::empty()).unwrap();
    let operation = Operation::new("greeting", "api", "GET", "/api").with_access(Access::Auth);
    let mut call = fixture::with_operation(request, operation, Params::default());
    let passed = matches!(auth.before(&mut call), Verdict::Continue);
    passed.then(|| call.call.principal.unwrap().identity().claims["username"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn e09_a_token_of_a_secret_passes_with_its_claims() {
    assert_eq!(seen(&tokens("HS256", "jwks"), SECRET).as_deref(), Some("peter"));
}

#[tokio::test]
async fn e09_a_short_secret_is_taken_for_a_written_reason() {
    let short = |reason: Value| {
        let mut jwt = jwt();
        merge(&mut jwt, json!({ "keys": { "file": "short", "short-secrets": reason } }));
        build(json!({ "jwt": jwt })).map(|(auth, _)| auth)
    };
    let auth = short(json!("devices in the field cannot be given another")).unwrap();
    assert_eq!(seen(&auth, SHORT).as_deref(), Some("peter"));
    assert_eq!(seen(&auth, SECRET), None);
    for (reason, at) in [(json!(" "), "jwt.keys.short-secrets"), (json!(null), "jwt.keys.file")] {
        assert_eq!(short(reason).err().unwrap().at, at);
    }
}

#[tokio::test]
async fn e11_missing_malformed_foreign_and_expired_tokens_are_401() {
    let auth = tokens("HS256", "jwks");
    let header = json!({ "alg": "HS256", "kid": "a" });
    let foreign = signer(Algorithm::HS256, EncodingKey::from_secret(&[7; 32]));
    let foreign = foreign.sign(&header, &claims(json!({}))).unwrap();
    let expired = signed(&header, &claims(json!({ "exp": NOW - 61 })));
    let early = signed(&header, &claims(json!({ "nbf": NOW + 61 })));
    let endless = signed(&header, &claims(json!({ "exp": null })));
    let elsewhere = signed(&header, &claims(json!({ "aud": "another" })));
    let good = signed(&header, &claims(json!({})));
    let cut = &good[..good.len() - 1];
    assert_eq!(passes(&auth, &[("authorization", &format!("bearer {good}"))]).await, "jwt:ada");
    assert_eq!(refused(&auth, &[]).await.0, 401);
    for token in ["", "a.b.c", &foreign, &expired, &early, &endless, &elsewhere, cut] {
        assert_eq!(status(&auth, &format!("Bearer {token}")).await, 401, "{token}");
    }
}

#[tokio::test]
async fn e13_rs512_is_verified_with_the_public_key() {
    let signer = signer(Algorithm::RS512, EncodingKey::from_rsa_pem(RSA_PRIVATE).unwrap());
    let token = signer.sign(&json!({ "alg": "RS512" }), &claims(json!({ "sub": "peter" }))).unwrap();
    let fields = format!("Bearer {token}");
    assert_eq!(passes(&tokens("RS512", "rsa"), &[("authorization", &fields)]).await, "jwt:peter");
}

#[tokio::test]
async fn e14_any_is_no_token() {
    assert_eq!(status(&tokens("HS256", "jwks"), "Bearer any").await, 401);
}

#[tokio::test]
async fn e16_neither_none_nor_a_public_key_as_a_secret_is_believed() {
    let auth = tokens("RS512", "rsa");
    let none = format!("{}.{}.", base64(r#"{"alg":"none"}"#), base64(claims(json!({})).to_string()));
    assert_eq!(status(&auth, &format!("Bearer {none}")).await, 401);
    let forger = signer(Algorithm::HS256, EncodingKey::from_secret(RSA_PUBLIC));
    let forged = forger.sign(&json!({ "alg": "HS256" }), &claims(json!({}))).unwrap();
    assert_eq!(status(&auth, &format!("Bearer {forged}")).await, 401);
}
