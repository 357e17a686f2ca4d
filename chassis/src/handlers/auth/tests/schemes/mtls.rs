//! Certificates of connections, alone and beside what calls bring.

use super::*;
use crate::invocation::{Certificate, Tls};
use crate::principal::Principal;

const ID: &str = "spiffe://shop.example/ns/shop/sa/billing";

fn certificate(uris: &[&str], dns: &[&str], emails: &[&str]) -> Certificate {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let (uris, dns, emails) = (owned(uris), owned(dns), owned(emails));
    Certificate { uris, dns, emails, serial: "2a".to_owned(), expires: NOW + 60 }
}

fn mtls(changes: Value) -> Value {
    let mut conf = json!({ "trust-domains": ["shop.example"] });
    merge(&mut conf, changes);
    json!({ "mtls": conf })
}

/// Who makes a call with these fields over a connection that showed this certificate.
async fn over(auth: &Auth, shown: Option<Certificate>, fields: &[(&str, &str)]) -> Result<Option<Principal>, Fault> {
    let mut request = Request::get("/greetings");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let operation = Operation::new("greeting", "list", "GET", "/greetings").with_access(Access::Auth);
    let mut call = fixture::with_operation(request.body(Body::empty()).unwrap(), operation, Params::default());
    call.call.tls = Some(Tls { certificate: shown }.into());
    let mut verdict = auth.before(&mut call);
    while let Verdict::Wait(mut waiting) = verdict {
        verdict = std::future::poll_fn(|cx| waiting.poll(cx, &mut call)).await;
    }
    match verdict {
        Verdict::Continue => Ok(call.call.principal),
        Verdict::Refuse(fault) => Err(fault),
        _ => panic!("neither passed nor refused"),
    }
}

async fn named(auth: &Auth, shown: Certificate) -> String {
    over(auth, Some(shown), &[]).await.unwrap().unwrap().subject().to_owned()
}

/// What a certificate is refused for.
async fn wrong(auth: &Auth, shown: Certificate) -> String {
    let fault = over(auth, Some(shown), &[]).await.unwrap_err();
    assert_eq!(told(&fault), (401, vec!["mTLS realm=\"chassis\"".to_owned()]));
    fault.detail().to_owned()
}

#[tokio::test]
async fn a_spiffe_id_names_a_caller_and_what_it_may() {
    let auth = auth(mtls(json!({ "grants": [
        { "to": "spiffe://shop.example/ns/shop/**", "scopes": ["read", "list"] },
        { "to": "spiffe://shop.example/ns/*/sa/billing", "scopes": ["read", "write"], "roles": ["machine"] },
        { "to": "spiffe://shop.example/ns/shop/sa/other", "roles": ["admin"] },
    ] })));
    let known = over(&auth, Some(certificate(&[ID], &["a.example"], &[])), &[]).await.unwrap().unwrap();
    let identity = known.identity();
    assert_eq!((identity.scheme.as_str(), identity.subject.as_str()), ("mtls", ID));
    assert_eq!((identity.scopes.join(" "), identity.roles.join(" ")), ("read list write".into(), "machine".into()));
    assert_eq!(identity.claims["serial"], "2a");
    assert_eq!(identity.claims["dns"], json!(["a.example"]));
}

#[tokio::test]
async fn the_first_kind_of_name_that_is_there_is_the_subject() {
    let usual = auth(mtls(json!({})));
    assert_eq!(named(&usual, certificate(&[ID], &["a.example"], &["ada@a.example"])).await, ID);
    assert_eq!(named(&usual, certificate(&["urn:x:y"], &["B.Example", "a.example"], &[])).await, "b.example");
    assert_eq!(named(&usual, certificate(&[], &[], &["ada@a.example"])).await, "ada@a.example");
    let mail = auth(json!({ "mtls": { "subject": ["email", "dns"] } }));
    assert_eq!(named(&mail, certificate(&[ID], &["a.example"], &["ada@a.example"])).await, "ada@a.example");
    assert_eq!(named(&mail, certificate(&[ID], &["a.example"], &[])).await, "a.example");
    assert!(wrong(&mail, certificate(&[ID], &[], &[])).await.contains("no name that counts here"));
    assert!(wrong(&mail, certificate(&[], &["*.example"], &[])).await.contains("no name that counts here"));
}

#[tokio::test]
async fn a_spiffe_id_that_is_wrong_is_not_made_up_for_by_another_name() {
    let auth = auth(mtls(json!({})));
    let with = |uris: &[&str]| certificate(uris, &["a.example"], &[]);
    for uris in [&[ID, ID][..], &[ID, "urn:x:y"], &["spiffe://shop.example"], &["SPIFFE://shop.example/x"]] {
        assert!(wrong(&auth, with(uris)).await.contains("one SPIFFE ID and no other URI"), "{uris:?}");
    }
    for uri in ["spiffe://shop.example.org/x", "spiffe://other.example/ns/shop/sa/billing"] {
        assert!(wrong(&auth, with(&[uri])).await.contains("a trust domain that is not believed"), "{uri}");
    }
}

#[tokio::test]
async fn a_name_of_one_kind_is_not_taken_that_reads_as_one_of_another() {
    let usual = auth(mtls(json!({})));
    for name in [ID, "ada@a.example", "a.example:443", "a b"] {
        assert!(wrong(&usual, certificate(&[], &[name], &[])).await.contains("no name that counts here"), "{name}");
    }
    for name in [ID, "spiffe://shop.example/x@a.example", "a.example", "@a.example", "ada@", "ada@b@a.example"] {
        assert!(wrong(&usual, certificate(&[], &[], &[name])).await.contains("no name that counts here"), "{name}");
    }
}

#[tokio::test]
async fn a_certificate_that_expires_ends_its_connection_for_known_callers() {
    let auth = auth(mtls(json!({})));
    let shown = |expires| Some(Certificate { expires, ..certificate(&[ID], &[], &[]) });
    assert!(over(&auth, shown(NOW + 1), &[]).await.is_ok());
    let fault = over(&auth, shown(NOW), &[]).await.unwrap_err();
    assert_eq!(fault.detail(), "The client certificate expired; connect again with a new one.");
}

#[tokio::test]
async fn a_certificate_is_never_taken_from_a_field_of_the_header() {
    let auth = auth(mtls(json!({})));
    let forwarded = [
        ("x-forwarded-client-cert", "By=spiffe://shop.example/a;URI=spiffe://shop.example/ns/shop/sa/billing"),
        ("x-client-cert", "-----BEGIN CERTIFICATE-----"),
        ("client-cert", ":AAAA:"),
        ("x-ssl-client-s-dn", "CN=billing"),
        ("x-ssl-client-verify", "SUCCESS"),
    ];
    let fault = over(&auth, None, &forwarded).await.unwrap_err();
    assert_eq!(told(&fault), (401, vec!["mTLS realm=\"chassis\"".to_owned()]));
    assert_eq!(fault.detail(), "This needs a known caller; send a client certificate in the TLS handshake.");
}

#[tokio::test]
async fn what_a_call_brings_counts_before_the_certificate_and_is_not_made_up_for_by_it() {
    let mut conf = mtls(json!({}));
    merge(&mut conf, json!({ "jwt": jwt(), "api-keys": { "file": "keys" } }));
    let auth = auth(conf);
    let good = format!("Bearer {}", token("", &[]));
    let shown = || Some(certificate(&[ID], &[], &[]));
    let subject =
        async |fields: &[(&str, &str)]| over(&auth, shown(), fields).await.map(|who| who.unwrap().subject().to_owned());
    assert_eq!(subject(&[]).await.unwrap(), ID);
    assert_eq!(subject(&[("authorization", &good)]).await.unwrap(), "ada");
    assert_eq!(subject(&[("x-api-key", KEY)]).await.unwrap(), "billing");
    assert_eq!(told(&subject(&[("authorization", "Bearer any")]).await.unwrap_err()).0, 401);
    assert_eq!(told(&subject(&[("authorization", &good), ("x-api-key", KEY)]).await.unwrap_err()).0, 400);
}

#[tokio::test]
async fn refusals_are_counted_by_their_reason() {
    let (auth, process) = build(mtls(json!({}))).unwrap();
    wrong(&auth, certificate(&["spiffe://other.example/x"], &[], &[])).await;
    let families = process.metrics.families();
    let refused = families.iter().find(|family| family.spec.name == "chassis.auth.refused").unwrap();
    let counted = refused.series.iter().filter(|series| format!("{series:?}").contains("1.0")).count();
    assert_eq!(counted, 1);
}

#[test]
fn what_nobody_could_be_believed_by_is_refused() {
    let wrong = |conf: Value| {
        let error = build(json!({ "mtls": conf })).err().unwrap();
        assert!(error.help.is_some());
        error.to_string()
    };
    assert_eq!(wrong(json!({})), "`mtls.trust-domains`: no SPIFFE ID would be believed");
    assert_eq!(
        wrong(json!({ "subject": [] })),
        "`mtls.subject`: without a kind of name nobody could be called anything"
    );
    assert_eq!(
        wrong(json!({ "subject": ["dns"], "trust-domains": ["a.example"] })),
        "`mtls.trust-domains`: nobody is called by a SPIFFE ID here"
    );
    assert_eq!(
        wrong(json!({ "trust-domains": ["spiffe://a.example"] })),
        "`mtls.trust-domains`: `spiffe://a.example` is no trust domain"
    );
    let grant = |grant: Value| wrong(json!({ "trust-domains": ["a.example"], "grants": [grant] }));
    assert_eq!(
        grant(json!({ "to": "spiffe://b.example/**", "roles": ["x"] })),
        "`mtls.grants[0].to`: no caller is of `b.example`, which is not among the trust domains"
    );
    assert_eq!(grant(json!({ "to": "spiffe://a.example/**" })), "`mtls.grants[0]`: this grants nothing");
    assert_eq!(grant(json!({ "to": "a b", "roles": ["x"] })), "`mtls.grants[0].to`: `a b` is no pattern of subjects");
}

#[test]
fn it_stands_before_what_some_listener_asks_for_certificates_only() {
    let conf = |conf: Value| serde_json::from_value::<Conf>(conf).unwrap();
    let operation = |id: &str, listeners: &[&'static str], asks| {
        let mut operation = Operation::new("greeting", id, "GET", "/greetings");
        operation.listeners = listeners.iter().map(|name| (*name).into()).collect();
        operation.asks_for_certificates = asks;
        operation
    };
    let (open, closed, nowhere) = (
        operation("a", &["rest"], false),
        operation("b", &["rest", "rest-internal"], true),
        operation("c", &[], false),
    );
    let suits =
        |conf: &Conf, operations: &[&Operation]| Auth::suits(conf, operations).map_err(|error| error.to_string());
    let alone = conf(mtls(json!({})));
    assert_eq!(suits(&alone, &[&closed, &nowhere]), Ok(()));
    let said = suits(&alone, &[&closed, &open]).unwrap_err();
    assert!(
        said.contains("`mtls`: nobody could call `greeting.a`") && said.contains("(rest) asks for certificates"),
        "{said}"
    );
    let said = suits(&alone, &[&open]).unwrap_err();
    assert_eq!(said, "`mtls`: no listener that serves these operations asks for certificates");
    let mut both = mtls(json!({}));
    merge(&mut both, json!({ "jwt": jwt() }));
    assert_eq!(suits(&conf(both.clone()), &[&closed, &open]), Ok(()));
    assert!(suits(&conf(both), &[&open]).is_err());
}
