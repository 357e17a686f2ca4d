//! What operators and platforms are told.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::to_bytes;
use http::StatusCode;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::lifecycle::Stage;

/// The pages of a process whose database a test may take away.
fn site(stage: Stage) -> (Site, Arc<AtomicBool>) {
    let (lifecycle, up) = (Lifecycle::new(), Arc::new(AtomicBool::new(true)));
    lifecycle.enter(stage);
    let database = Arc::clone(&up);
    let check = Check::new("database", move || match database.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err("connection refused".to_owned()),
    });
    let mut pages = probe::pages(&lifecycle, vec![check]);
    pages.push(Page::of("/routes", "what can be called", || "GET /\n".to_owned(), || json!(["GET /"])));
    (Site::new(pages), up)
}

async fn asked(site: &Site, request: Request<()>) -> (StatusCode, String) {
    let response = site.answer(&request.into_parts().0);
    let status = response.status();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn looked_at(site: &Site, target: &str) -> (u16, String) {
    let (status, text) = asked(site, Request::get(target).body(()).unwrap()).await;
    (status.as_u16(), text)
}

#[tokio::test]
async fn each_stage_shows_in_its_own_probes() {
    let expected = [
        (Stage::Starting, [200, 503, 503]),
        (Stage::Ready, [200, 200, 200]),
        (Stage::Draining, [200, 503, 200]),
        (Stage::Stopping, [200, 503, 200]),
    ];
    for (stage, statuses) in expected {
        let (site, _) = site(stage);
        for (path, status) in ["/livez", "/readyz", "/startupz"].into_iter().zip(statuses) {
            assert_eq!(looked_at(&site, path).await.0, status, "{path} when {stage:?}");
        }
    }
}

#[tokio::test]
async fn a_check_that_fails_takes_readiness_and_nothing_else() {
    let (site, up) = site(Stage::Ready);
    up.store(false, Ordering::SeqCst);
    let text = "[+]lifecycle ok\n[-]database failed: connection refused\nnot ok\n".to_owned();
    assert_eq!(looked_at(&site, "/readyz").await, (503, text));
    assert_eq!(looked_at(&site, "/livez").await.0, 200);
    assert_eq!(looked_at(&site, "/startupz").await.0, 200);
    up.store(true, Ordering::SeqCst);
    assert_eq!(looked_at(&site, "/readyz").await, (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn checks_are_listed_left_out_and_asked_alone() {
    let (site, up) = site(Stage::Ready);
    assert_eq!(looked_at(&site, "/readyz?verbose").await.1, "[+]lifecycle ok\n[+]database ok\nok\n");
    up.store(false, Ordering::SeqCst);
    let text = "[+]lifecycle ok\n[+]database excluded: ok\nok\n".to_owned();
    assert_eq!(looked_at(&site, "/readyz?verbose&exclude=database").await, (200, text));
    assert_eq!(looked_at(&site, "/readyz/lifecycle").await.0, 200);
    assert_eq!(looked_at(&site, "/readyz/database").await.0, 503);
    assert_eq!(looked_at(&site, "/readyz/cache").await, (404, "There is no check `cache`.\n".to_owned()));
}

#[tokio::test]
async fn health_is_a_document_for_who_asks_for_one() {
    let (site, up) = site(Stage::Ready);
    up.store(false, Ordering::SeqCst);
    let (status, text) = looked_at(&site, "/readyz?format=json").await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 503);
    assert_eq!(document["status"], "fail");
    assert_eq!(document["checks"]["database"], json!([{ "status": "fail", "output": "connection refused" }]));
}

#[tokio::test]
async fn a_page_has_a_form_for_people_and_one_for_programs() {
    let (site, _) = site(Stage::Ready);
    assert_eq!(looked_at(&site, "/routes").await.1, "GET /\n");
    let request = Request::get("/routes").header(ACCEPT, "application/json").body(()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&asked(&site, request).await.1).unwrap(), json!(["GET /"]));
    let shown = site.answer(&Request::get("/routes?format=json").body(()).unwrap().into_parts().0);
    assert_eq!(shown.headers()[CONTENT_TYPE], "application/json");
    assert_eq!(shown.headers()[CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn whoever_is_lost_is_shown_the_way() {
    let (site, _) = site(Stage::Ready);
    let (status, index) = looked_at(&site, "/").await;
    assert_eq!(status, 200);
    assert!(index.contains("/routes    what can be called\n"), "{index}");
    for lost in ["/healthz", "/readyzz", "/routes/1"] {
        assert_eq!(looked_at(&site, lost).await.0, 404, "{lost}");
    }
    assert!(looked_at(&site, "/healthz").await.1.contains("/readyz"));
}

#[tokio::test]
async fn pages_can_only_be_looked_at() {
    let (site, _) = site(Stage::Ready);
    let refusal = site.answer(&Request::post("/livez").body(()).unwrap().into_parts().0);
    assert_eq!(refusal.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refusal.headers()[ALLOW], "GET, HEAD");
}

#[tokio::test]
async fn operators_are_answered_until_the_process_has_left() {
    let lifecycle = Lifecycle::new();
    let bound = Admin::new(lifecycle.clone()).bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let Address::Tcp(address) = bound.address() else { panic!("not TCP") };
    let (phase, phases) = watch::channel(Phase::Serving);
    let serving = tokio::spawn(bound.serve(phases));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for (stage, expected) in [(Stage::Ready, "HTTP/1.1 200 OK"), (Stage::Draining, "HTTP/1.1 503 Service Unavailable")]
    {
        lifecycle.enter(stage);
        stream.write_all(b"HEAD /readyz HTTP/1.1\r\nhost: test\r\n\r\n").await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(String::from_utf8_lossy(&head).starts_with(expected));
    }
    phase.send_replace(Phase::Cutting);
    assert_eq!(serving.await.unwrap(), Served { cut: 0 });
}
