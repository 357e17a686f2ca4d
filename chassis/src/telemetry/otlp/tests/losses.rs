//! Proves what becomes of spans that a collector does not take, and of configuration that cannot be meant.

use super::*;
use crate::invocation::fixture::Page;

#[tokio::test]
async fn what_is_not_taken_now_is_sent_again() {
    let busy = Answer { fields: vec![("retry-after", "0")], ..Answer::http(503) };
    let mut collector = Collector::start([busy, Answer::http(200)]).await;
    let sending = Sending::start(to(&collector, json!({})));
    sending.record("a");
    let (first, second) = (collector.next().await, collector.next().await);
    assert_eq!((names(&first), first.body), (vec!["a".to_owned()], second.body));
    sending.record("b");
    assert_eq!(names(&collector.next().await), ["b"]);
}

#[tokio::test]
async fn what_a_collector_of_grpc_asks_for_again_is_sent_again() {
    let busy = Answer { details: Some(retry::tests::details(0, 0)), ..Answer::grpc("8") };
    let mut collector = Collector::start([busy, Answer::grpc("0")]).await;
    let sending = Sending::start(to(&collector, json!({ "protocol": "grpc" })));
    sending.record("a");
    assert_eq!(collector.next().await.body, collector.next().await.body);
}

#[tokio::test]
async fn what_is_refused_is_counted_and_not_sent_again() {
    for (protocol, refusal, fine) in [
        ("http", Answer::http(400), Answer::http(200)),
        ("grpc", Answer::grpc("3"), Answer::grpc("0")),
        ("grpc", Answer::grpc("8"), Answer::grpc("0")),
    ] {
        let mut collector = Collector::start([refusal, fine]).await;
        let Sending { works, process, warnings, _exporting } =
            Sending::start(to(&collector, json!({ "protocol": protocol })));
        process.spans.offer(finished("a"));
        collector.next().await;
        process.spans.offer(finished("b"));
        collector.next().await;
        works.end().await;
        assert!(collector.is_quiet());
        let ended = Sending { process, works: Works::default(), warnings, _exporting };
        assert_eq!(ended.counted(), [1.0, 1.0, 0.0, 0.0, 2.0], "{protocol}");
    }
}

#[tokio::test]
async fn what_a_collector_takes_in_part_is_counted_in_part() {
    let rejected = ExportTracePartialSuccess { rejected_spans: 2, ..ExportTracePartialSuccess::default() };
    let body = ExportTraceServiceResponse { partial_success: Some(rejected) }.encode_to_vec();
    let mut collector = Collector::start([Answer { body, ..Answer::http(200) }]).await;
    let Sending { works, process, warnings, _exporting } =
        Sending::start(to(&collector, json!({ "traces": { "interval": "1h" } })));
    for name in ["a", "b", "c"] {
        process.spans.offer(finished(name));
    }
    works.end().await;
    assert_eq!(names(&collector.next().await).len(), 3);
    let ended = Sending { process, works: Works::default(), warnings, _exporting };
    assert_eq!(ended.counted(), [1.0, 2.0, 0.0, 0.0, 3.0]);
}

#[tokio::test]
async fn a_collector_that_is_away_costs_no_more_than_the_queue() {
    // Its port is taken, so that nobody else is given it, and nobody listens there.
    let away = tokio::net::TcpSocket::new_v4().unwrap();
    away.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", away.local_addr().unwrap());
    let conf = json!({
        "endpoint": endpoint,
        "metrics": { "enabled": false },
        "traces": { "queue": 4, "batch": 4, "interval": "1h" },
    });
    let sending = Sending::start(conf);
    assert_eq!(sending.process.memory.bound().total.0, 8 * LARGEST as u64);
    for _ in 0..100 {
        sending.record("a");
    }
    assert_eq!(sending.counted(), [0.0, 0.0, 0.0, 96.0, 0.0]);
    let Sending { works, process, warnings, _exporting } = sending;
    works.end().await;
    let ended = Sending { process, works: Works::default(), warnings, _exporting };
    assert_eq!(ended.counted(), [0.0, 0.0, 4.0, 96.0, 4.0], "at the end it is tried once more, and given up");
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_never_answers_is_given_up_in_the_end() {
    // It takes connections, and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let conf = json!({
        "endpoint": format!("http://{}", listener.local_addr().unwrap()),
        "timeout": "10s",
        "metrics": { "enabled": false },
        "traces": { "interval": "1ms" },
    });
    let sending = Sending::start(conf);
    sending.record("a");
    while sending.counted()[2] < 1.0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(sending.counted(), [0.0, 0.0, 1.0, 0.0, 1.0]);
}

#[tokio::test]
async fn what_is_lost_at_the_end_is_told_with_its_number() {
    let page = Page::default();
    let _lines = tracing::subscriber::set_default(page.subscriber());
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (endpoint, is_cut_off) in
        [("http://127.0.0.1:1".to_owned(), false), (format!("http://{}", silent.local_addr().unwrap()), true)]
    {
        let conf = json!({
            "endpoint": endpoint,
            "metrics": { "enabled": false },
            "traces": { "queue": 8, "batch": 2, "interval": "1h" },
        });
        let sending = Sending::start(conf);
        for _ in 0..5 {
            sending.record("a");
        }
        let Sending { works, process, warnings, _exporting } = sending;
        let ending = works.end();
        if is_cut_off {
            // The collector takes the connection, and nobody waits for its answer.
            let accepted = async { silent.accept().await.unwrap() };
            tokio::select! { () = ending => panic!("it ended"), _ = accepted => {} }
        } else {
            ending.await;
        }
        let ended = Sending { process, works: Works::default(), warnings, _exporting };
        let all_counted = async {
            while ended.counted()[2] < 5.0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), all_counted).await.unwrap();
        assert_eq!(ended.counted(), [0.0, 0.0, 5.0, 0.0, 5.0], "cut off: {is_cut_off}");
    }
    let lost = page.text().lines().filter(|line| line.contains("\"lost\":5")).count();
    assert_eq!(lost, 2, "{}", page.text());
}

fn refused(conf: Value) -> (String, String) {
    let error = Sending::attempt(conf).err().unwrap();
    (error.at, error.message)
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused() {
    let (at, message) = refused(json!({ "endpoint": "collector:4318" }));
    assert_eq!((at.as_str(), message.as_str()), ("endpoint", "`collector:4318` is neither https nor http"));
    assert_eq!(refused(json!({ "endpoint": "http://a/?b" })).0, "endpoint");
    for path in ["/v1/traces", "/v1/metrics/", "/otlp/v1/logs"] {
        assert_eq!(refused(json!({ "endpoint": format!("http://127.0.0.1:1{path}") })).0, "endpoint", "{path}");
    }
    let other = json!({ "endpoint": "http://127.0.0.1:1/v1/traces", "protocol": "grpc" });
    assert!(Sending::attempt(other).is_ok(), "nothing of the kind is added");
    assert_eq!(refused(json!({ "traces": { "queue": 511 } })).0, "traces.queue");
    assert_eq!(refused(json!({ "logs": { "enabled": true, "queue": 7, "batch": 8 } })).0, "logs.queue");
    assert!(Sending::attempt(json!({ "logs": { "queue": 7 } })).is_ok(), "no lines are sent");
    assert_eq!(refused(json!({ "headers": { "a b": "c" } })).0, "headers.a b");
    assert_eq!(refused(json!({ "metrics": { "interval": "0s" } })).0, "metrics.interval");
    let (at, message) = refused(json!({ "headers": { "authorization": "line\nbreak" } }));
    assert!(at == "headers.authorization" && !message.contains("break"), "{message}");
    assert_eq!(refused(json!({ "ca": "missing.pem" })).0, "ca");
    assert_eq!(refused(json!({ "ca": "empty.pem" })), ("ca".to_owned(), "there is no certificate in it".to_owned()));
}

#[tokio::test]
async fn secrets_that_go_out_unencrypted_are_warned_of() {
    let warned = |endpoint: &str| {
        let conf = json!({ "endpoint": endpoint, "headers": { "authorization": "Bearer k" } });
        Sending::start(conf).warnings.all().into_iter().map(|warning| warning.message).collect::<Vec<_>>()
    };
    assert_eq!(warned("http://collector.example:4318"), ["these fields are sent unencrypted"]);
    assert_eq!(warned("http://127.0.0.1:1"), [""; 0]);
}
