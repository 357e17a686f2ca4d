//! Tokens that must be believed, and what they say.

use serde_json::json;

use super::*;
use crate::handlers::auth::refusal::Refusal;
use crate::handlers::auth::token::{Claims, mint};

fn wanted() -> Claims {
    Claims {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        subject: "ada".to_owned(),
        scopes: vec!["greetings:read".to_owned(), "greetings:write".to_owned()],
        roles: vec!["admin".to_owned()],
        lifetime: HOUR,
    }
}

#[test]
fn what_is_minted_is_believed_whatever_the_key() {
    let set = secrets("a", SECRET).to_string();
    let keys = [
        (set.as_bytes(), set.as_bytes()),
        (RSA_PRIVATE, RSA_PUBLIC),
        (P256_PRIVATE, P256_PUBLIC),
        (ED25519_PRIVATE, ED25519_PUBLIC),
    ];
    for (private, public) in keys {
        let token = mint(private, &wanted(), NOW).unwrap();
        let verified = built(json!({}), public).unwrap().verify(&token, NOW).unwrap();
        let identity = verified.principal.identity();
        assert_eq!((identity.subject.as_str(), identity.scheme.as_str()), ("ada", "jwt"));
        assert_eq!((&identity.scopes, &identity.roles), (&wanted().scopes, &wanted().roles));
        assert_eq!(identity.claims["iat"], NOW);
        assert_eq!(verified.until, NOW + 3_600);
    }
}

#[test]
fn a_key_signs_with_the_one_algorithm_it_is_bound_to() {
    for (algorithm, name) in [(Algorithm::RS512, "RS512"), (Algorithm::PS256, "PS256"), (Algorithm::RS256, "RS256")] {
        let key = EncodingKey::from_rsa_pem(RSA_PRIVATE).unwrap();
        let token = signer(algorithm, key).sign(&json!({ "alg": name }), &claims(json!({}))).unwrap();
        assert!(built(json!({ "algorithms": [name] }), RSA_PUBLIC).unwrap().verify(&token, NOW).is_ok(), "{name}");
        let other = built(json!({ "algorithms": ["RS384"] }), RSA_PUBLIC).unwrap().verify(&token, NOW);
        assert_eq!(other, Err(Refusal::Key), "{name}");
    }
}

#[test]
fn tokens_of_the_standards_are_read() {
    // RFC 7515 appendix A.1. It is meant for nobody in particular, which is only told once its signature is proved.
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let keys = json!({ "keys": [{ "kty": "oct", "alg": "HS256", "k": key }] }).to_string();
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
                 .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
                 .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let verifier = built(json!({ "issuer": "joe" }), keys.as_bytes()).unwrap();
    assert_eq!(verifier.verify(token, 1_300_819_379), Err(Refusal::Audience));
    assert_eq!(verifier.verify(token, 1_300_819_440), Err(Refusal::Expired));

    // RFC 8037 appendix A.4. Its payload is a sentence.
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": key }] }).to_string();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc\
                 .hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(built(json!({}), keys.as_bytes()).unwrap().verify(token, NOW), Err(Refusal::Claims));
}

#[test]
fn a_key_is_found_by_its_name_and_without_one_by_trying() {
    let named = |id: &str, secret: &[u8]| json!({ "kty": "oct", "alg": "HS256", "kid": id, "k": base64(secret) });
    let two = verifier(&json!({ "keys": [named("old", &[1; 32]), named("a", SECRET)] }));
    let claims = claims(json!({}));
    let verify = |verifier: &Verifier, header| verifier.verify(&signed(&header, &claims), NOW).map(|_| ());
    assert_eq!(verify(&two, json!({ "alg": "HS256", "kid": "a" })), Ok(()));
    assert_eq!(verify(&two, json!({ "alg": "HS256" })), Ok(()));
    assert_eq!(verify(&two, json!({ "alg": "HS256", "kid": "old" })), Err(Refusal::Signature));
    assert_eq!(verify(&two, json!({ "alg": "HS256", "kid": "other" })), Err(Refusal::Key));

    let keys: Vec<_> = (0..5).map(|at| named(&at.to_string(), &[at; 32])).chain([named("a", SECRET)]).collect();
    let many = verifier(&json!({ "keys": keys }));
    assert_eq!(verify(&many, json!({ "alg": "HS256", "kid": "a" })), Ok(()));
    assert_eq!(verify(&many, json!({ "alg": "HS256" })), Err(Refusal::Key), "too many to try");

    let nameless = verifier(&json!({ "keys": [{ "kty": "oct", "k": base64(SECRET) }] }));
    assert_eq!(verify(&nameless, json!({ "alg": "HS256", "kid": "whatever" })), Ok(()));
}

#[test]
fn scopes_and_roles_are_found_where_the_configuration_says() {
    let changes =
        json!({ "claims": { "scopes": ["scope", "scp"], "roles": ["https://a.example/roles", "realm_access.roles"] } });
    let verifier = built(changes, secrets("a", SECRET).to_string().as_bytes()).unwrap();
    let claims = claims(json!({
        "scope": "a  b", "scp": ["c", 7], "roles": ["ignored"],
        "https://a.example/roles": "d", "realm_access": { "roles": ["e"] },
    }));
    let verified = verifier.verify(&signed(&json!({ "alg": "HS256", "kid": "a" }), &claims), NOW).unwrap();
    assert_eq!(verified.principal.identity().scopes, ["a", "b", "c"]);
    assert_eq!(verified.principal.identity().roles, ["d", "e"]);
}

#[test]
fn nothing_is_minted_without_a_key_that_signs() {
    let public = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": base64([7; 32]) }] }).to_string();
    for keys in [public.as_bytes(), RSA_PUBLIC] {
        let error = mint(keys, &wanted(), NOW).unwrap_err();
        assert_eq!(error.message, "no key in this file can sign");
    }
    assert_eq!(mint(b"hello", &wanted(), NOW).unwrap_err().message, "this is neither a JWK Set nor PEM");
}
