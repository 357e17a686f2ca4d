//! TLS in front of HTTP: who gets a connection, what is known about it then, and how certificates are exchanged.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_rustls::client::TlsStream;

use super::rig::{PROBLEM, Pipes, Rig, Site, check, exchange, get, last, one_reply, rest};
use crate::clock::Clock;
use crate::conf::{BuildContext, BuildError, FileRef, Files, Process, Warnings};
use crate::fault::Code;
use crate::invocation::Certificate;
use crate::metrics::{Labels, Measured};
use crate::protocol::{Address, Listen, Phase, Served};
use crate::random::Random;
use crate::wire::accept::Accept;
use crate::wire::tls::fixture::{Authority, Issued, Shelf, connect, dns, email, uri};
use crate::wire::tls::{Acceptor, Clients, Credentials, Demand};
use crate::wire::{Limits, Sockets};

const H1: &str = "http/1.1";
const MINUTE: Duration = Duration::from_secs(60);

/// What a listener is made of.
struct Parts {
    authority: Authority,
    shelf: Shelf,
    process: Process,
    warnings: Warnings,
}

impl Parts {
    fn new() -> Self {
        let authority = Authority::new();
        let shelf = Shelf::of(&authority.server(), &authority);
        Self { authority, shelf, process: Process::default(), warnings: Warnings::default() }
    }

    fn acceptor(&self, demand: Option<Demand>) -> Result<Acceptor, BuildError> {
        let clients = demand.map(|demand| Clients { signers: std::path::PathBuf::from("ca.crt").into(), demand });
        let file = |name: &str| std::path::PathBuf::from(name).into();
        let (certificate, key) = (file("tls.crt"), file("tls.key"));
        let context = BuildContext {
            clock: Clock::system(),
            random: &Random::seeded(1),
            scope: None,
            files: &self.shelf,
            warnings: &self.warnings,
            process: &self.process,
        };
        Acceptor::build(Credentials { certificate, key, clients, reload: MINUTE }, &context)
    }

    fn serve(&self, demand: Option<Demand>, accept: impl Accept, limits: Limits) -> Rig {
        let (site, (phase, phases)) = (Site::default(), watch::channel(Phase::Serving));
        let (service, acceptor) = (site.clone(), self.acceptor(demand).unwrap());
        let serving = tokio::spawn(async move { acceptor.serve(accept, service, &limits, phases).await });
        Rig { site, phase, serving }
    }

    /// Listens on pipes.
    fn pipes(&self, demand: Option<Demand>, limits: Limits) -> (Rig, Pipes) {
        let (pipes, queue) = Pipes::new();
        (self.serve(demand, queue, limits), pipes)
    }

    /// Listens on a port of this machine.
    async fn tcp(&self, demand: Option<Demand>) -> (Rig, std::net::SocketAddr) {
        let sockets = Sockets::bind(&"127.0.0.1:0".parse::<Listen>().unwrap()).await.unwrap();
        let Address::Tcp(address) = sockets.address() else { panic!("not TCP") };
        (self.serve(demand, sockets, Limits::default()), address)
    }

    /// What was counted under this name with this outcome.
    fn counted(&self, name: &str, outcome: &str) -> f64 {
        let families = self.process.metrics.families();
        let family = families.iter().find(|family| family.spec.name == name).unwrap();
        let is_it = |labels: &Labels| labels.values().any(|value| value == outcome);
        match family.series.iter().find(|series| is_it(&series.labels)).unwrap().measured {
            Measured::Number(number) => number,
            Measured::Buckets(_) => panic!("{name} is a histogram"),
        }
    }

    async fn counts(&self, outcome: &str, expected: f64) {
        while self.counted("chassis.tls.handshakes", outcome) != expected {
            tokio::task::yield_now().await;
        }
    }

    /// Whether somebody with this certificate gets a connection. Over TLS 1.3 the refusal comes behind the handshake.
    async fn admits(&self, pipes: &Pipes, own: Option<&Issued>) -> bool {
        let Ok(mut stream) = self.authority.connect(pipes.connect(), own, H1).await else { return false };
        if stream.write_all(last("/x").as_bytes()).await.is_err() {
            return false;
        }
        let mut reply = String::new();
        let read = stream.read_to_string(&mut reply).await;
        assert_eq!(read.is_ok(), reply.starts_with("HTTP/1.1 200 "), "{read:?}: {reply}");
        read.is_ok()
    }
}

#[tokio::test]
async fn http_1_1_is_answered_over_tls_and_ends_with_a_word() {
    let parts = Parts::new();
    let (rig, address) = parts.tcp(None).await;
    let tcp = TcpStream::connect(address).await.unwrap();
    let mut stream = parts.authority.connect(tcp, None, H1).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(H1.as_bytes()));
    assert_eq!(stream.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    stream.write_all(get("/x").as_bytes()).await.unwrap();
    check(&one_reply(&mut stream).await, 200, &["GET /x"]);
    stream.write_all(last("/large").as_bytes()).await.unwrap();
    // Without `close_notify` reading would fail: anybody could have cut the reply short.
    check(&rest(&mut stream).await, 200, &["connection: close", &"x".repeat(1 << 20)]);
    parts.counts("done", 1.0).await;
    assert_eq!(rig.site.tls.lock().unwrap().as_ref().unwrap().certificate, None);
}

#[tokio::test]
async fn http_2_is_agreed_upon_and_answered() {
    let parts = Parts::new();
    let (_rig, address) = parts.tcp(None).await;
    let tcp = TcpStream::connect(address).await.unwrap();
    let stream = parts.authority.connect(tcp, None, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut calls, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    std::future::poll_fn(|cx| calls.poll_ready(cx)).await.unwrap();
    let request = Request::get("https://localhost/x").body(()).unwrap();
    let mut reply = calls.send_request(request, true).unwrap().0.await.unwrap();
    let body: Bytes = reply.body_mut().data().await.unwrap().unwrap();
    assert_eq!((reply.status().as_u16(), &body[..]), (200, &b"GET /x on -"[..]));
}

#[tokio::test]
async fn who_agrees_to_no_protocol_of_ours_gets_no_connection() {
    let parts = Parts::new();
    let (rig, pipes) = parts.pipes(None, Limits::default());
    assert!(parts.authority.connect(pipes.connect(), None, "smtp").await.is_err());
    parts.counts("failed", 1.0).await;
    drop(rig);
}

#[tokio::test]
async fn the_names_of_a_certificate_are_known_to_its_connection() {
    let parts = Parts::new();
    let (rig, pipes) = parts.pipes(Some(Demand::Required), Limits::default());
    let names =
        [dns("b.example"), uri("spiffe://a.example/x"), email("ada@a.example"), dns("a.example"), uri("urn:x:y")];
    assert!(parts.admits(&pipes, Some(&parts.authority.issue(names))).await);
    let known = rig.site.tls.lock().unwrap().take().unwrap().certificate.clone().unwrap();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = Certificate {
        uris: owned(&["spiffe://a.example/x", "urn:x:y"]),
        dns: owned(&["b.example", "a.example"]),
        emails: owned(&["ada@a.example"]),
        serial: "2aff".to_owned(),
        expires: 4_102_444_800,
    };
    assert_eq!(known, expected);
}

#[tokio::test]
async fn who_shows_no_certificate_is_refused_or_nobody() {
    let parts = Parts::new();
    let (rig, pipes) = parts.pipes(Some(Demand::Required), Limits::default());
    assert!(!parts.admits(&pipes, None).await);
    parts.counts("failed", 1.0).await;
    assert!(rig.site.tls.lock().unwrap().is_none());
    let (rig, pipes) = parts.pipes(Some(Demand::Optional), Limits::default());
    assert!(parts.admits(&pipes, None).await);
    assert_eq!(rig.site.tls.lock().unwrap().take().unwrap().certificate, None);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_gets_no_connection_even_where_none_is_asked_for() {
    let parts = Parts::new();
    let names = || [uri("spiffe://a.example/x")];
    let foreign = Authority::new().issue(names());
    let expired = parts.authority.issue_with(names(), |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let early = parts.authority.issue_with(names(), |params| params.not_before = rcgen::date_time_ymd(2099, 1, 1));
    let server = parts.authority.issue_with(names(), |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    });
    for demand in [Demand::Required, Demand::Optional] {
        let (rig, pipes) = parts.pipes(Some(demand), Limits::default());
        for (what, shown) in [("foreign", &foreign), ("expired", &expired), ("early", &early), ("server", &server)] {
            assert!(!parts.admits(&pipes, Some(shown)).await, "{what} {demand:?}");
        }
        assert!(rig.site.tls.lock().unwrap().is_none());
    }
    parts.counts("failed", 8.0).await;
}

#[tokio::test]
async fn plain_http_is_told_that_this_is_tls() {
    let parts = Parts::new();
    let (rig, address) = parts.tcp(None).await;
    for request in [get("/x"), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()] {
        let reply = exchange(address, request).await;
        check(&reply, 400, &[PROBLEM, "connection: close", "This port speaks TLS: write `https://`"]);
    }
    assert_eq!(rig.site.refusals.of(Code::InvalidArgument), 2);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_to_its_end_is_ended() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(None, Limits::default());
    let began = Clock::system().now();
    for sent in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = pipes.connect();
        stream.write_all(sent).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        assert_eq!(reply, b"");
    }
    assert_eq!(parts.counted("chassis.tls.handshakes", "late"), 3.0);
    assert!(began.elapsed() <= 3 * (Limits::default().header_read + Duration::from_secs(3)));
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_drips_is_ended_too() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(None, Limits::default());
    let (mut reading, mut writing) = tokio::io::split(pipes.connect());
    tokio::spawn(async move {
        writing.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").await.unwrap();
        while writing.write_all(b"y").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
    });
    assert_eq!(rest(&mut reading).await, "");
}

#[tokio::test(start_paused = true)]
async fn connections_count_from_before_their_handshake() {
    let parts = Parts::new();
    let limits = Limits { connections: 1, ..Limits::default() };
    let (_rig, pipes) = parts.pipes(None, limits);
    let (began, _silent) = (Clock::system().now(), pipes.connect());
    assert!(parts.admits(&pipes, None).await);
    let waited = began.elapsed();
    assert!((2..5).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn closing_waits_a_moment_for_handshakes_and_no_longer() {
    let parts = Parts::new();
    let (rig, pipes) = parts.pipes(None, Limits::default());
    let (_silent, mut idle) = (pipes.connect(), idle(&parts, &pipes).await);
    // Between two ticks: at one of them it might be cut off before it can say that it ends.
    sleep(Duration::from_millis(5500)).await;
    let began = Clock::system().now();
    rig.phase.send_replace(Phase::Closing);
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rig.serving.await.unwrap(), Served { cut: 0 });
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
}

/// A connection between two calls.
async fn idle(parts: &Parts, pipes: &Pipes) -> TlsStream<DuplexStream> {
    let mut stream = parts.authority.connect(pipes.connect(), None, H1).await.unwrap();
    stream.write_all(get("/x").as_bytes()).await.unwrap();
    check(&one_reply(&mut stream).await, 200, &[]);
    stream
}

/// Which certificate a new connection is shown.
async fn shown(parts: &Parts, pipes: &Pipes) -> CertificateDer<'static> {
    let stream = parts.authority.connect(pipes.connect(), None, H1).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
}

fn der(issued: &Issued) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn certificates_are_exchanged_while_connections_go_on() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(None, Limits { idle: 10 * MINUTE, ..Limits::default() });
    let (first, second) = (shown(&parts, &pipes).await, parts.authority.server());
    let mut former = idle(&parts, &pipes).await;
    parts.shelf.put("tls.crt", &second.certificate);
    sleep(MINUTE + Duration::from_secs(1)).await;
    assert_eq!(shown(&parts, &pipes).await, first, "a certificate without its key is not taken");
    parts.shelf.put("tls.key", &second.key);
    sleep(MINUTE).await;
    assert_eq!(shown(&parts, &pipes).await, der(&second));
    former.write_all(last("/y").as_bytes()).await.unwrap();
    check(&rest(&mut former).await, 200, &["GET /y"]);
    let reloads = ["taken", "refused"].map(|outcome| parts.counted("chassis.tls.reloads", outcome));
    assert_eq!(reloads, [1.0, 1.0]);
}

#[tokio::test(start_paused = true)]
async fn how_long_the_certificate_in_use_is_good_is_shown() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(None, Limits::default());
    shown(&parts, &pipes).await;
    let remaining = || parts.counted("chassis.tls.certificate.remaining", "tls.crt");
    let years = |years: f64| years * 365.25 * 86_400.0;
    let long = remaining();
    assert!((years(40.0)..years(100.0)).contains(&long), "{long} seconds");
    let expired = parts.authority.issue_with([dns("localhost")], |params| {
        params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    });
    parts.shelf.put("tls.crt", &expired.certificate);
    parts.shelf.put("tls.key", &expired.key);
    sleep(2 * MINUTE).await;
    assert!((years(-100.0)..0.0).contains(&remaining()), "{} seconds", remaining());
}

#[tokio::test(start_paused = true)]
async fn what_stays_broken_is_told_once_and_the_former_is_used_on() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(None, Limits::default());
    let first = shown(&parts, &pipes).await;
    parts.shelf.put("tls.key", "nothing");
    sleep(5 * MINUTE).await;
    assert_eq!(shown(&parts, &pipes).await, first);
    assert_eq!(parts.counted("chassis.tls.reloads", "refused"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn files_that_are_good_again_and_the_same_are_no_exchange() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(None, Limits::default());
    let first = shown(&parts, &pipes).await;
    let good = parts.shelf.read(&FileRef("tls.key".into())).unwrap();
    parts.shelf.put("tls.key", "nothing");
    sleep(2 * MINUTE).await;
    parts.shelf.put("tls.key", str::from_utf8(&good).unwrap());
    sleep(2 * MINUTE).await;
    assert_eq!(shown(&parts, &pipes).await, first);
    let counted = |outcome| parts.counted("chassis.tls.reloads", outcome);
    assert_eq!((counted("refused"), counted("taken")), (1.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_is_exchanged_is_the_one_that_counts() {
    let parts = Parts::new();
    let (_rig, pipes) = parts.pipes(Some(Demand::Required), Limits::default());
    let (former, next) = (parts.authority.issue([dns("a.example")]), Authority::new());
    assert!(parts.admits(&pipes, Some(&former)).await);
    parts.shelf.put("ca.crt", &next.pem);
    sleep(MINUTE + Duration::from_secs(1)).await;
    assert!(!parts.admits(&pipes, Some(&former)).await);
    assert!(parts.admits(&pipes, Some(&next.issue([dns("a.example")]))).await);
}

#[tokio::test]
async fn a_session_is_taken_up_again_only_where_it_proves_nothing() {
    let parts = Parts::new();
    let own = parts.authority.issue([dns("a.example")]);
    for (demand, shown, kind) in [
        (None, None, HandshakeKind::Resumed),
        (Some(Demand::Optional), Some(&own), HandshakeKind::Full),
        (Some(Demand::Required), Some(&own), HandshakeKind::Full),
    ] {
        let (_rig, pipes) = parts.pipes(demand, Limits::default());
        let client = parts.authority.client(shown, H1);
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let mut stream = connect(&client, pipes.connect()).await.unwrap();
            kinds.push(stream.get_ref().1.handshake_kind().unwrap());
            stream.write_all(last("/x").as_bytes()).await.unwrap();
            check(&rest(&mut stream).await, 200, &[]);
        }
        assert_eq!(kinds, [HandshakeKind::Full, kind], "{demand:?}");
    }
}

/// What building says about files of which some are exchanged.
fn wrong(changes: &[(&str, &str)]) -> String {
    let parts = Parts::new();
    changes.iter().for_each(|(name, content)| parts.shelf.put(name, content));
    let error = parts.acceptor(Some(Demand::Required)).map(|_| ()).unwrap_err();
    format!("{error} ({})", error.help.as_deref().unwrap_or_default())
}

#[test]
fn what_is_wrong_with_the_files_is_said_with_what_to_do() {
    let (another, key) = (Authority::new().server(), Parts::new().authority.server().key);
    let begins = "-----BEGIN CERTIFICATE-----";
    for (changes, expected) in [
        (("tls.crt", "nothing"), "`certificate`: there is no certificate in `tls.crt` (is it the right file? "),
        (("tls.crt", key.as_str()), "`certificate`: there is no certificate in `tls.crt` (is it the right file? "),
        (("tls.crt", begins), "`certificate`: what `tls.crt` holds cannot be read: "),
        (("tls.key", "nothing"), "`key`: there is no private key in `tls.key` (is it the right file? "),
        (
            ("tls.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
            "`key`: the private key in `tls.key` is locked with a password (unlock it with `openssl pkey -in FILE`",
        ),
        (
            ("tls.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            "`key`: the key in `tls.key` is none to encrypt with: ",
        ),
        (
            ("tls.crt", another.certificate.as_str()),
            "`key`: the private key in `tls.key` is not that of the certificate in `tls.crt` (name two files that belong",
        ),
        (("ca.crt", "nothing"), "`client-ca`: there is no certificate in `ca.crt` (is it the right file? "),
        (
            ("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "`client-ca`: what `ca.crt` holds cannot be read: ",
        ),
    ] {
        let said = wrong(&[changes]);
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains(&another.key[40..60]), "{said}");
    }
}

#[test]
fn a_certificate_that_expired_is_told_at_the_start() {
    let parts = Parts::new();
    let expired = parts.authority.issue_with([dns("localhost")], |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    parts.shelf.put("tls.crt", &expired.certificate);
    parts.shelf.put("tls.key", &expired.key);
    assert!(parts.acceptor(None).is_ok());
    let [warning] = &parts.warnings.all()[..] else { panic!("one warning") };
    assert_eq!(warning.at, "tls.certificate");
    assert_eq!(warning.message, "the certificate in `tls.crt` expired at 2020-01-01T00:00:00.000Z");
}
