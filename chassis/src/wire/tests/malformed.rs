//! What is not a request, or one that asks too much, gets the right 4xx, and the next connection is fine.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::rig::{PROBLEM, Rig, check, exchange, get, head, last, one_reply, rest, until};

/// Sends bytes to a listener of their own, and a good request after that.
async fn sent(bytes: impl AsRef<[u8]>) -> String {
    let (_rig, address) = Rig::tcp().await;
    let reply = exchange(address, bytes).await;
    check(&exchange(address, last("/after")).await, 200, &["GET /after"]);
    reply
}

#[tokio::test]
async fn a_malformed_request_line_is_400_and_closes() {
    for line in [
        "\0\0\0\0",
        "GET\r\n",
        "GET  / HTTP/1.1",
        "G@T / HTTP/1.1",
        "GET / HTTP/1.1 x",
        "GET / FTP/1.1",
        "GET / HTTP/2.0",
    ] {
        let reply = sent(format!("{line}\r\nhost: test\r\n\r\n")).await;
        check(&reply, 400, &["connection: close", "date: ", PROBLEM, r#""code":"invalid-argument""#]);
    }
}

#[tokio::test]
async fn a_malformed_header_field_is_400_and_closes() {
    for field in ["no colon", "spa ce: x", "x : y", ": empty", "x: a\0b", "content-length: x", "content-length: -1"] {
        let reply = sent(format!("GET / HTTP/1.1\r\nhost: test\r\n{field}\r\n\r\n")).await;
        check(&reply, 400, &["connection: close", PROBLEM]);
    }
}

#[tokio::test]
async fn a_header_section_that_is_too_large_is_431_and_closes() {
    let reply = sent(format!("GET / HTTP/1.1\r\nhost: test\r\nx: {}\r\n\r\n", "y".repeat(200_000))).await;
    check(&reply, 431, &["connection: close", PROBLEM, r#""code":"header-fields-too-large""#]);
}

#[tokio::test]
async fn ten_thousand_header_fields_are_431_and_close() {
    let reply = sent(format!("GET / HTTP/1.1\r\nhost: test\r\n{}\r\n", "x: y\r\n".repeat(10_000))).await;
    check(&reply, 431, &["connection: close"]);
}

#[tokio::test]
async fn one_header_field_too_many_is_431() {
    let fields = |count: usize| format!("{}connection: close\r\n\r\n", "x: y\r\n".repeat(count - 2));
    check(&sent(format!("GET / HTTP/1.1\r\nhost: test\r\n{}", fields(100))).await, 200, &[]);
    check(&sent(format!("GET / HTTP/1.1\r\nhost: test\r\n{}", fields(101))).await, 431, &[]);
}

#[tokio::test]
async fn a_target_that_is_too_long_is_414_with_a_problem_document_and_the_connection_goes_on() {
    let (_rig, address) = Rig::tcp().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for target in [format!("/{}", "a".repeat(20_000)), format!("/?{}", "q".repeat(20_000))] {
        stream.write_all(get(&target).as_bytes()).await.unwrap();
        let reply = one_reply(&mut stream).await;
        check(
            &reply,
            414,
            &[
                "content-type: application/problem+json",
                r#""code":"uri-too-long""#,
                r#""status":414"#,
                "at most 8192 bytes are taken",
            ],
        );
    }
    stream.write_all(get("/next").as_bytes()).await.unwrap();
    check(&one_reply(&mut stream).await, 200, &["GET /next"]);
}

#[tokio::test]
async fn a_target_beyond_the_header_section_is_431() {
    check(&sent(get(&format!("/{}", "a".repeat(100_000)))).await, 431, &[]);
}

#[tokio::test]
async fn percent_signs_and_unknown_methods_are_left_to_the_operation() {
    let (_rig, address) = Rig::tcp().await;
    check(&exchange(address, last("/%zz")).await, 200, &["GET /%zz"]);
    check(&exchange(address, last("/x").replace("GET", "BREW")).await, 200, &["BREW /x"]);
}

#[tokio::test]
async fn a_request_names_one_valid_host() {
    let fields = ["", "host: a\r\nhost: b\r\n", "host: a b\r\n", "host: a/b\r\n", "host: a@b\r\n"];
    for field in fields {
        let reply = sent(format!("GET / HTTP/1.1\r\n{field}connection: close\r\n\r\n")).await;
        check(&reply, 400, &[PROBLEM, "`Host` field"]);
    }
    for field in ["host:\r\n", "host: [::1]:8080\r\n", "host: a.b-c_d:1\r\n"] {
        check(&sent(format!("GET / HTTP/1.1\r\n{field}connection: close\r\n\r\n")).await, 200, &[]);
    }
}

#[tokio::test]
async fn http_1_0_needs_no_host_and_closes() {
    let reply = sent("GET /old HTTP/1.0\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.0 200 OK") && reply.ends_with("GET /old on -"), "{reply}");
}

#[tokio::test]
async fn the_host_of_an_absolute_target_replaces_the_field() {
    let reply = sent("GET http://other:81/x HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").await;
    check(&reply, 200, &["GET /x on other:81"]);
}

#[tokio::test]
async fn a_target_names_no_user_and_no_foreign_scheme() {
    for (target, detail) in [
        ("http://ada@other/x", "names a user"),
        ("ftp://other/x", "neither `http` nor `https`"),
        ("http:///x", "malformed"),
    ] {
        let reply = sent(format!("GET {target} HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n")).await;
        check(&reply, 400, &[PROBLEM, detail]);
    }
}

#[tokio::test]
async fn of_targets_without_a_path_only_that_of_options_is_a_call() {
    check(&sent(last("*").replace("GET", "OPTIONS")).await, 200, &["OPTIONS *"]);
    check(&sent(last("*")).await, 400, &["must be a path"]);
    check(&sent("CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\nconnection: close\r\n\r\n").await, 501, &["not a proxy"]);
}

#[tokio::test]
async fn a_refusal_reaches_a_peer_that_is_still_sending() {
    let (_rig, address) = Rig::tcp().await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    writing.write_all(b"POST /refuse HTTP/1.1\r\nhost: test\r\ncontent-length: 50000000\r\n\r\n").await.unwrap();
    let sending = tokio::spawn(async move {
        // Ends when all is sent or the listener has stopped reading; both are fine.
        let _ = writing.write_all(&vec![b'x'; 5_000_000]).await;
        writing
    });
    check(&one_reply(&mut reading).await, 413, &["connection: close", "refused"]);
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn what_is_no_request_is_counted_by_its_code() {
    let (rig, address) = Rig::tcp().await;
    exchange(address, "NONSENSE\r\n\r\n").await;
    exchange(address, format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(200_000))).await;
    // A request that HTTP does not allow, and one that its peer gave up.
    exchange(address, "GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let mut given_up = TcpStream::connect(address).await.unwrap();
    given_up.write_all(b"GET / HT").await.unwrap();
    given_up.shutdown().await.unwrap();
    assert_eq!(rest(&mut given_up).await, "");
    let expected = r#"{"invalid-argument": 1, "header-fields-too-large": 1}"#;
    until(|| format!("{:?}", rig.site.refusals) == expected).await;
}

#[tokio::test]
async fn what_follows_a_request_and_is_none_gets_its_own_answer() {
    let (_rig, address) = Rig::tcp().await;
    let reply = exchange(address, format!("{}nonsense\r\n\r\n", get("/first"))).await;
    check(&reply, 200, &["GET /first on testHTTP/1.1 400 Bad Request", PROBLEM]);
    let mut stream = TcpStream::connect(address).await.unwrap();
    for path in ["/1", "/missing"] {
        stream.write_all(get(path).as_bytes()).await.unwrap();
        one_reply(&mut stream).await;
    }
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    check(&rest(&mut stream).await, 400, &[PROBLEM]);
}

#[tokio::test]
async fn the_reply_of_an_operation_is_never_taken_for_one_about_no_request() {
    let (_rig, address) = Rig::tcp().await;
    let reply = exchange(address, last("/empty-400")).await;
    check(&reply, 400, &["content-length: 0"]);
    assert!(!reply.contains(PROBLEM), "{reply}");
    let switched = "GET /upgrade HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(switched.as_bytes()).await.unwrap();
    check(&head(&mut stream).await, 101, &[]);
    let looks_like_it = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(looks_like_it.as_bytes()).await.unwrap();
    assert_eq!(rest(&mut stream).await, looks_like_it);
}

#[tokio::test]
async fn a_peer_that_is_still_sending_reads_why_it_sent_no_request() {
    let (_rig, address) = Rig::tcp().await;
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let sending = tokio::spawn(async move {
        let _ = writing.write_all(&[get("/x").as_bytes(), b"nonsense\r\n\r\n", &vec![b'x'; 2_000_000]].concat()).await;
        writing
    });
    check(&one_reply(&mut reading).await, 200, &["GET /x"]);
    check(&one_reply(&mut reading).await, 400, &[PROBLEM]);
    drop(sending.await.unwrap());
}
