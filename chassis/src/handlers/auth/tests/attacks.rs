//! Tokens that must not be believed.

use jsonwebtoken::EncodingKey;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::handlers::auth::refusal::Refusal;

/// What becomes of a token with this header and these claims, signed with the trusted secret `a`.
fn outcome(header: &Value, changes: Value) -> Result<String, Refusal> {
    verify(&verifier(&secrets("a", SECRET)), &signed(header, &claims(changes)))
}

fn verify(verifier: &Verifier, token: &str) -> Result<String, Refusal> {
    verifier.verify(token, NOW).map(|verified| verified.principal.subject().to_owned())
}

fn good() -> Value {
    json!({ "alg": "HS256", "kid": "a" })
}

#[test]
fn a_good_token_is_believed() {
    assert_eq!(outcome(&good(), json!({})).as_deref(), Ok("ada"));
}

#[test]
fn none_is_no_algorithm() {
    let verifier = verifier(&secrets("a", SECRET));
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let message =
            format!("{}.{}", base64(json!({ "alg": alg }).to_string()), base64(claims(json!({})).to_string()));
        assert_eq!(verify(&verifier, &format!("{message}.")), Err(Refusal::Malformed), "{alg}");
        assert_eq!(verify(&verifier, &format!("{message}.AA")), Err(Refusal::Key), "{alg}");
    }
}

#[test]
fn a_public_key_is_no_secret() {
    // The classic: the verifier is made to take its RSA key for an HMAC secret.
    for (private, public) in [(RSA_PRIVATE, RSA_PUBLIC), (P256_PRIVATE, P256_PUBLIC), (ED25519_PRIVATE, ED25519_PUBLIC)]
    {
        let verifier = built(json!({}), public).unwrap();
        for secret in [public, public.trim_ascii_end(), private] {
            let forger = signer(Algorithm::HS256, EncodingKey::from_secret(secret));
            let token = forger.sign(&json!({ "alg": "HS256" }), &claims(json!({}))).unwrap();
            assert_eq!(verify(&verifier, &token), Err(Refusal::Key));
        }
    }
}

#[test]
fn the_header_does_not_choose_the_algorithm_of_a_key() {
    let verifier = verifier(&secrets("a", SECRET));
    for (algorithm, name) in [(Algorithm::HS384, "HS384"), (Algorithm::HS512, "HS512")] {
        let token = signer(algorithm, EncodingKey::from_secret(SECRET));
        let token = token.sign(&json!({ "alg": name, "kid": "a" }), &claims(json!({}))).unwrap();
        assert_eq!(verify(&verifier, &token), Err(Refusal::Key), "{name}");
    }
    for name in ["hs256", "RS256", "ES256", "EdDSA", "HS256 ", "HS2560"] {
        assert_eq!(outcome(&json!({ "alg": name, "kid": "a" }), json!({})), Err(Refusal::Key), "{name}");
    }
}

#[test]
fn a_key_name_is_compared_and_never_interpreted() {
    let long = "k".repeat(4_000);
    for kid in [
        "",
        "A",
        "a\0",
        "../../dev/null",
        "/dev/null",
        "file:///etc/passwd",
        "http://127.0.0.1:1/keys",
        "a' OR '1'='1",
        "a|true",
        "%61",
        "a/",
        "*",
        &long,
    ] {
        assert_eq!(outcome(&json!({ "alg": "HS256", "kid": kid }), json!({})), Err(Refusal::Key), "{kid}");
    }
    for kid in [json!(1), json!(["a"]), json!({ "a": 1 })] {
        assert_eq!(outcome(&json!({ "alg": "HS256", "kid": kid }), json!({})), Err(Refusal::Malformed), "{kid}");
    }
}

#[test]
fn a_token_does_not_bring_its_key() {
    let mine = json!({ "kty": "oct", "k": base64("a secret of the attacker's choice, long") });
    let forger = signer(Algorithm::HS256, EncodingKey::from_secret(b"a secret of the attacker's choice, long"));
    for member in ["jwk", "jku", "x5u", "x5c", "x5t", "keys"] {
        let mut header = good();
        header[member] = if member == "jwk" { mine.clone() } else { json!("http://127.0.0.1:1/keys") };
        let token = forger.sign(&header, &claims(json!({}))).unwrap();
        assert_eq!(verify(&verifier(&secrets("a", SECRET)), &token), Err(Refusal::Signature), "{member}");
        assert_eq!(outcome(&header, json!({})).as_deref(), Ok("ada"), "{member} is ignored");
    }
}

#[test]
fn extensions_that_are_not_understood_are_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("x"), json!(true), json!(null)] {
        let header = json!({ "alg": "HS256", "kid": "a", "crit": crit, "b64": false });
        assert_eq!(outcome(&header, json!({})), Err(Refusal::Critical));
    }
}

#[test]
fn another_type_of_token_is_refused() {
    let typ = |typ: &str| outcome(&json!({ "alg": "HS256", "kid": "a", "typ": typ }), json!({}));
    for name in ["JWT", "jwt", "at+jwt", "application/at+JWT"] {
        assert_eq!(typ(name).as_deref(), Ok("ada"), "{name}");
    }
    for name in ["", "dpop+jwt", "logout+jwt", "application/", "text/jwt"] {
        assert_eq!(typ(name), Err(Refusal::Type), "{name}");
    }
    let strict = built(json!({ "typ": ["at+jwt"] }), secrets("a", SECRET).to_string().as_bytes()).unwrap();
    assert_eq!(verify(&strict, &signed(&good(), &claims(json!({})))), Err(Refusal::Type));
}

#[test]
fn a_token_is_good_from_the_leeway_before_nbf_until_exp() {
    let times = |changes| outcome(&good(), changes).err();
    assert_eq!(times(json!({ "exp": null })), Some(Refusal::Endless));
    assert_eq!(times(json!({ "exp": NOW })), Some(Refusal::Expired));
    assert_eq!(times(json!({ "exp": NOW + 1 })), None);
    assert_eq!(times(json!({ "exp": (NOW + 5) as f64 + 0.5 })), None);
    assert_eq!(times(json!({ "exp": u64::MAX })), None);
    assert_eq!(times(json!({ "exp": 0 })), Some(Refusal::Expired));
    assert_eq!(times(json!({ "nbf": NOW + 60 })), None);
    assert_eq!(times(json!({ "nbf": NOW + 61 })), Some(Refusal::Early));
    for wrong in [json!("2099-01-01"), json!("4102444800"), json!(-1), json!(true), json!([NOW + 9])] {
        assert_eq!(times(json!({ "exp": wrong })), Some(Refusal::Claims), "{wrong}");
        assert_eq!(times(json!({ "nbf": wrong })), Some(Refusal::Claims), "{wrong}");
    }
}

#[test]
fn issuer_and_audience_are_compared_as_they_are_written() {
    let parties = |changes| outcome(&good(), changes).err();
    for issuer in [json!(null), json!("https://id.example/"), json!("https://ID.example"), json!([ISSUER]), json!(1)] {
        assert_eq!(parties(json!({ "iss": issuer })), Some(Refusal::Issuer), "{issuer}");
    }
    for audience in
        [json!(null), json!("greeter2"), json!([]), json!(["a", "b"]), json!({ "greeter": 1 }), json!([[AUDIENCE]])]
    {
        assert_eq!(parties(json!({ "aud": audience })), Some(Refusal::Audience), "{audience}");
    }
    assert_eq!(parties(json!({ "aud": ["other", AUDIENCE] })), None);
}

#[test]
fn a_token_names_its_subject() {
    for subject in [json!(null), json!(""), json!(7), json!(["ada"])] {
        assert_eq!(outcome(&good(), json!({ "sub": subject })), Err(Refusal::Nobody), "{subject}");
    }
}

#[test]
fn e13_another_claim_can_name_the_caller() {
    let named = |subject: &str, changes| {
        let conf = json!({ "claims": { "subject": subject } });
        let verifier = built(conf, secrets("a", SECRET).to_string().as_bytes()).unwrap();
        verify(&verifier, &signed(&good(), &claims(changes)))
    };
    assert_eq!(named("username", json!({ "username": "peter", "sub": null })).as_deref(), Ok("peter"));
    assert_eq!(named("user.name", json!({ "user": { "name": "peter" } })).as_deref(), Ok("peter"));
    assert_eq!(named("username", json!({})), Err(Refusal::Nobody));
}

#[test]
fn a_name_of_a_key_or_a_type_that_is_no_text_is_malformed() {
    for member in ["kid", "typ"] {
        let mut header = good();
        for wrong in [json!(null), json!(7), json!(["a"])] {
            header[member] = wrong.clone();
            assert_eq!(outcome(&header, json!({})), Err(Refusal::Malformed), "{member}: {wrong}");
        }
    }
}

#[test]
fn a_token_is_measured_before_it_is_decoded() {
    let verifier = built(json!({ "max-token-size": 100 }), secrets("a", SECRET).to_string().as_bytes()).unwrap();
    assert_eq!(verify(&verifier, &"a".repeat(101)), Err(Refusal::TooLong));
    assert_eq!(verify(&verifier, &"a".repeat(100)), Err(Refusal::Malformed));
    let padded = signed(&good(), &claims(json!({ "pad": "x".repeat(8_192) })));
    assert_eq!(outcome(&good(), json!({ "pad": "x".repeat(8_192) })), Err(Refusal::TooLong), "{} bytes", padded.len());
}

#[test]
fn what_is_not_three_parts_of_base64url_is_malformed() {
    let token = token("", &[]);
    let verifier = verifier(&secrets("a", SECRET));
    let (message, signature) = token.rsplit_once('.').unwrap();
    for text in [
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c.d",
        ".a.b",
        "a..b",
        "a.b.",
        message,
        &format!("{token}."),
        &format!(".{token}"),
        &format!("{token}="),
        &format!("{message}.{signature}\n"),
        &format!("{message}.+/{signature}"),
        &format!(" {token}"),
    ] {
        assert_eq!(verify(&verifier, text), Err(Refusal::Malformed), "{text}");
    }
}

#[test]
fn the_reason_is_told_only_to_those_who_have_a_signed_token() {
    let changes = json!({ "exp": 0, "iss": "x", "aud": "x", "sub": null });
    let forged = signer(Algorithm::HS256, EncodingKey::from_secret(&[7; 32])).sign(&good(), &claims(changes)).unwrap();
    assert_eq!(verify(&verifier(&secrets("a", SECRET)), &forged), Err(Refusal::Signature));
}

#[test]
fn a_claim_written_twice_or_too_deep_cannot_confuse() {
    let verifier = verifier(&secrets("a", SECRET));
    let key = signer(Algorithm::HS256, EncodingKey::from_secret(SECRET));
    let twice =
        format!("{}.{}", base64(r#"{"alg":"none","alg":"HS256","kid":"a"}"#), base64(claims(json!({})).to_string()));
    assert_eq!(verify(&verifier, &format!("{twice}.AA")), Err(Refusal::Malformed));
    let deep = (0..500).fold(json!(1), |inner, _| json!([inner]));
    let token = key.sign(&good(), &claims(json!({ "deep": deep }))).unwrap();
    assert_eq!(verify(&verifier, &token), Err(Refusal::Claims));
}

proptest! {
    #[test]
    fn no_text_panics_or_is_believed(text in ".{0,200}") {
        prop_assert!(verify(&verifier(&secrets("a", SECRET)), &text).is_err());
    }

    #[test]
    fn no_parts_panic_or_are_believed(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 3)) {
        let text = parts.iter().map(base64).collect::<Vec<_>>().join(".");
        prop_assert!(verify(&verifier(&secrets("a", SECRET)), &text).is_err());
    }

    #[test]
    fn one_changed_character_spoils_a_token(at: proptest::sample::Index, to in proptest::char::range('!', '~')) {
        let token = token("a", &["b"]);
        let at = at.index(token.len());
        let mut changed: Vec<char> = token.chars().collect();
        changed[at] = to;
        let changed: String = changed.into_iter().collect();
        let believed = verify(&verifier(&secrets("a", SECRET)), &changed).is_ok();
        prop_assert_eq!(believed, changed == token);
    }
}
