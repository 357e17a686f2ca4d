//! What a listener that encrypts tells the operations behind it.

use super::*;
use crate::wire::tls::fixture::{Authority, Shelf, uri};

/// Says what is known of the caller's connection.
struct Names;

impl Endpoint for Names {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        let known = invocation.call.certificate().map(|certificate| certificate.uris.join(" "));
        let encrypted = invocation.call.tls.is_some();
        Box::pin(std::future::ready(Reply::new(format!("{encrypted} {}", known.unwrap_or_default()))))
    }
}

fn conf(clients: &Value) -> Value {
    let mut tls = json!({ "certificate": "tls.crt", "key": "tls.key" });
    tls.as_object_mut().unwrap().extend(clients.as_object().unwrap().clone());
    json!({ "listen": "127.0.0.1:0", "tls": tls })
}

#[tokio::test]
async fn the_certificate_of_a_connection_is_known_to_its_calls() {
    let authority = Authority::new();
    let shelf = Shelf::of(&authority.server(), &authority);
    let provider = provider([("GET /names", Arc::new(Names) as Arc<dyn Endpoint>)], &[("rest-internal", &[0])]);
    let bound =
        listener_with(conf(&json!({ "client-ca": "ca.crt", "client-certificates": "optional" })), &shelf).unwrap();
    let bound = bound.bind().await.unwrap();
    assert!(bound.url().unwrap().starts_with("https://127.0.0.1:"));
    let Address::Tcp(address) = bound.address() else { panic!("not TCP") };
    let (_phase, phases) = watch::channel(Phase::Serving);
    tokio::spawn(bound.serve(provider.entry("rest-internal").unwrap(), phases));
    let own = authority.issue([uri("spiffe://shop.example/billing")]);
    for (own, expected) in [(Some(&own), "true spiffe://shop.example/billing"), (None, "true ")] {
        let tcp = TcpStream::connect(address).await.unwrap();
        let mut stream = authority.connect(tcp, own, "http/1.1").await.unwrap();
        for _ in 0..2 {
            stream.write_all(b"GET /names HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            let mut bytes = vec![0; 1024];
            let count = stream.read(&mut bytes).await.unwrap();
            let reply = String::from_utf8_lossy(&bytes[..count]).into_owned();
            assert!(reply.ends_with(&format!("\r\n\r\n{expected}")), "{reply}");
        }
    }
}

#[test]
fn what_is_wrong_is_said_with_the_whole_key() {
    let authority = Authority::new();
    let shelf = Shelf::of(&authority.server(), &authority);
    let wrong = |clients: Value| listener_with(conf(&clients), &shelf).map(|_| ()).unwrap_err().to_string();
    assert_eq!(wrong(json!({ "client-ca": "none" })), "`tls.client-ca`: `none` cannot be read: there is no such file");
    let alone = wrong(json!({ "client-certificates": "required" }));
    assert_eq!(alone, "`tls.client-certificates`: callers are asked for no certificate");
    assert_eq!(wrong(json!({ "reload": "1ms" })), "`tls.reload`: files are looked at once a second at most");
    assert_eq!(
        wrong(json!({ "client-certificates": "never" })).split_once(':').unwrap().0,
        "`tls.client-certificates`"
    );
}

#[test]
fn a_listener_asks_for_certificates_where_it_says_who_may_sign_them() {
    assert!(asks_for_certificates(&conf(&json!({ "client-ca": "ca.crt" }))));
    assert!(!asks_for_certificates(&conf(&json!({}))));
    assert!(!asks_for_certificates(&conf(&json!({ "client-ca": null }))));
    assert!(!asks_for_certificates(&json!({})));
}
