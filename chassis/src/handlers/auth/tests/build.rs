//! What is wrong with keys and configuration is said before anything is served.

use serde_json::json;

use super::*;

/// What building says: where, what, and what to do.
fn wrong(changes: Value, keys: &[u8]) -> String {
    let error = built(changes, keys).unwrap_err();
    let help = error.help.as_deref().map_or(String::new(), |help| format!(" ({help})"));
    format!("{error}{help}")
}

fn wrong_keys(keys: &Value) -> String {
    wrong(json!({}), json!({ "keys": keys }).to_string().as_bytes())
}

#[test]
fn a_short_secret_is_refused() {
    let short = |alg: &str, bytes: usize| {
        wrong_keys(&json!([{ "kty": "oct", "alg": alg, "kid": "a", "k": base64(vec![7; bytes]) }]))
    };
    assert_eq!(
        short("HS256", 31),
        "`keys.file`: key `a` has 31 bytes; HS256 needs at least 32 (RFC 7518 §3.2) \
         (make one with `openssl rand 32 | basenc --base64url -w0`, without the padding; or say in \
         `short-secrets` why it is short)"
    );
    let key = json!({ "keys": [{ "kty": "oct", "alg": "HS512", "k": base64([7; 63]) }] }).to_string();
    let message = wrong(json!({ "algorithms": ["HS512"] }), key.as_bytes());
    assert!(message.contains("has 63 bytes; HS512 needs at least 64"), "{message}");
    assert!(built(json!({}), secrets("a", &[7; 32]).to_string().as_bytes()).is_ok());
}

#[test]
fn a_private_key_is_refused() {
    let private = json!([{ "kty": "OKP", "crv": "Ed25519", "x": base64([7; 32]), "d": base64([7; 32]) }]);
    assert!(
        wrong_keys(&private)
            .starts_with("`keys.file`: key 1 contains its private part, which a service has no use for (remove `d`")
    );
    for private in [RSA_PRIVATE, P256_PRIVATE, ED25519_PRIVATE] {
        assert!(
            wrong(json!({}), private)
                .starts_with("`keys.file`: key 1 is a private key, which a service has no use for")
        );
    }
}

#[test]
fn a_weak_or_broken_key_is_refused() {
    let another = "make another with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072`";
    let weak = |key: &str| format!("`keys.file`: key {key} has 1024 bits; RSA keys here have 2048 to 8192 ({another})");
    let whole = "copy the whole key, as its issuer publishes it (RFC 7517 §4)";
    let small = include_bytes!("keys/small.public.pem");
    assert_eq!(wrong(json!({}), small), weak("1"));
    let set = json!([{ "kty": "RSA", "kid": "r", "n": base64([0xff; 128]), "e": "AQAB" }]);
    assert_eq!(wrong_keys(&set), weak("`r`"));
    let set = json!([{ "kty": "EC", "crv": "P-256", "x": base64([1; 31]), "y": base64([1; 32]) }]);
    assert_eq!(wrong_keys(&set), format!("`keys.file`: key 1 has a `x` of 31 bytes instead of 32 ({whole})"));
    let set = json!([{ "kty": "oct", "alg": "HS256" }]);
    assert_eq!(wrong_keys(&set), format!("`keys.file`: key 1 has no `k` ({whole})"));
    let set = json!([{ "kty": "oct", "alg": "HS256", "k": "a+b/" }]);
    assert!(wrong_keys(&set).starts_with("`keys.file`: key 1 has a `k` that is not base64url without padding"));
}

#[test]
fn a_key_says_one_algorithm_that_fits_it() {
    let set = json!([{ "kty": "oct", "alg": "RS256", "k": base64(SECRET) }]);
    assert_eq!(
        wrong_keys(&set),
        "`keys.file`: key 1 says `alg: RS256`, which is not for keys of its kind (correct `alg`, or remove it where its kind leaves no doubt)"
    );
    assert_eq!(
        wrong(json!({ "algorithms": ["RS256", "RS512"] }), RSA_PUBLIC),
        "`keys.file`: key 1 does not say whether it is for RS256 or RS512 \
         (say `alg` in the JWK, or list one of them under `algorithms`)"
    );
}

#[test]
fn a_key_for_something_else_is_passed_over() {
    let secret = json!({ "kty": "oct", "alg": "HS256", "kid": "a", "k": base64(SECRET) });
    let public = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": base64([7; 32]) });
    for (good, other) in [
        (&secret, json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "x" })),
        (&public, json!({ "kty": "EC", "crv": "secp256k1", "x": "x", "y": "y" })),
        (&public, json!({ "kty": "RSA", "use": "enc", "n": "x", "e": "AQAB" })),
        (&secret, json!({ "kty": "oct", "key_ops": ["encrypt"], "k": "x" })),
        (&secret, json!({ "kty": "oct", "alg": "HS512", "k": base64([7; 64]) })),
    ] {
        let set = json!({ "keys": [other.clone(), good] }).to_string();
        assert!(built(json!({}), set.as_bytes()).is_ok(), "{other}");
        assert!(
            wrong_keys(&json!([other]))
                .starts_with("`keys.file`: no key in this file signs with HS256, RS256, ES256, EdDSA")
        );
    }
}

#[test]
fn two_keys_that_look_the_same_to_a_token_are_refused() {
    let key = |kid: &str| json!({ "kty": "oct", "kid": kid, "k": base64(SECRET) });
    assert!(
        wrong_keys(&json!([key("a"), key("b"), key("a")]))
            .starts_with("`keys.file`: two keys for HS256 have the `kid` `a`")
    );
    let nameless = RSA_PUBLIC.repeat(5);
    assert!(wrong(json!({}), &nameless).starts_with("`keys.file`: more than 4 keys for RS256 have no `kid`"));
    assert!(built(json!({}), &RSA_PUBLIC.repeat(2)).is_ok());
}

#[test]
fn a_secret_among_public_keys_is_refused() {
    let secret = json!({ "kty": "oct", "kid": "a", "k": base64(SECRET) });
    for public in [
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "b", "x": base64([7; 32]) }),
        json!({ "kty": "RSA", "use": "enc", "n": "x", "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "x", "y": "y" }),
    ] {
        for set in [json!([secret, public]), json!([public, secret])] {
            let message = wrong_keys(&set);
            assert!(
                message.starts_with(
                    "`keys.file`: key `a` is a secret (`kty: oct`) in a set that has public keys, too (keep one kind in \
                     this file: "
                ),
                "{message}"
            );
        }
    }
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let help = "a JWK Set starts with `{`, a public key in PEM with `-----BEGIN PUBLIC KEY-----`";
    for content in [&b""[..], b"hello", b"\xff\xfe", b"ssh-rsa AAAA", b"[]"] {
        assert_eq!(wrong(json!({}), content), format!("`keys.file`: this is neither a JWK Set nor PEM ({help})"));
    }
    assert!(wrong(json!({}), b"{}").starts_with("`keys.file`: this is no JWK Set: missing field `keys`"));
    assert!(wrong(json!({}), br#"{"keys":[]}"#).starts_with("`keys.file`: no key in this file"));
    assert!(wrong(json!({}), br#"{"keys":[1]}"#).starts_with("`keys.file`: key 1 is no JWK"));
    let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(wrong(json!({}), certificate).contains("key 1 is a certificate (take the key out with `openssl x509"));
    assert_eq!(
        wrong(json!({}), b"-----BEGIN PUBLIC KEY-----\nAAAA"),
        "`keys.file`: `-----END PUBLIC KEY-----` is missing (the file was cut off: copy it again, whole)"
    );
}

#[test]
fn no_error_shows_a_secret() {
    let secret = base64("thirty-one bytes, not one more!");
    let message = wrong_keys(&json!([{ "kty": "oct", "alg": "HS256", "k": secret }]));
    assert!(!message.contains(&secret), "{message}");
    assert!(!format!("{:?}", verifier(&secrets("a", SECRET))).contains(&base64(SECRET)));
}

#[test]
fn a_value_out_of_range_is_refused() {
    let keys = secrets("a", SECRET).to_string();
    for (at, changes) in [
        ("issuer", json!({ "issuer": "" })),
        ("audience", json!({ "audience": [] })),
        ("audience", json!({ "audience": ["a", ""] })),
        ("leeway", json!({ "leeway": "61s" })),
        ("claims.subject", json!({ "claims": { "subject": "" } })),
        ("algorithms", json!({ "algorithms": [] })),
        ("typ", json!({ "typ": [] })),
        ("max-token-size", json!({ "max-token-size": "0B" })),
        ("keys.timeout", json!({ "keys": { "timeout": "0s" } })),
        ("keys.cool-down", json!({ "keys": { "cool-down": "0s" } })),
        ("keys.stale", json!({ "keys": { "stale": "0s" } })),
    ] {
        assert_eq!(built(changes, keys.as_bytes()).unwrap_err().at, at);
    }
}

#[test]
fn keys_that_are_published_with_the_source_are_told_apart() {
    let development = |key: Value| verifier(&json!({ "keys": [key] })).development_keys();
    let key = |kid: &str| json!({ "kty": "oct", "kid": kid, "k": base64(SECRET) });
    assert_eq!(development(key("development-only")), ["development-only"]);
    assert_eq!(development(key("production")), [""; 0]);
    let mut marked = key("a");
    marked["chassis-development"] = true.into();
    assert_eq!(development(marked), ["a"]);
}

#[test]
fn the_key_that_ships_is_one_for_development() {
    let keys = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../conf/keys/development.jwks.json"));
    let verifier = built(json!({}), keys).unwrap();
    assert_eq!(verifier.development_keys(), ["development-only"]);
    let mut copied: Value = serde_json::from_slice::<Value>(keys).unwrap()["keys"][0].clone();
    copied.as_object_mut().unwrap().remove("chassis-development");
    copied["kid"] = "production".into();
    let verifier = super::verifier(&json!({ "keys": [copied] }));
    assert_eq!(verifier.development_keys(), ["production"]);
}
