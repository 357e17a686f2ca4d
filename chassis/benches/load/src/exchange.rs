//! Requests that are sent over and over, and the answer that each must get.

use model::{GREETING_PATH, Hello, ORDERS_PATH, Order};

const STATUS: &[u8] = b"HTTP/1.1 200 ";

/// The bytes that go out, one request after the other and then again, and the body that must come back.
#[derive(Clone)]
pub(crate) struct Exchange {
    requests: Vec<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    /// Asks for the greeting, with these header lines besides `Host`.
    pub(crate) fn greeting(headers: &str) -> Self {
        Self::greetings(&[headers.to_owned()])
    }

    /// Asks for the greeting with each of these header lines in turn.
    pub(crate) fn greetings(headers: &[String]) -> Self {
        let request = |headers: &String| format!("GET {GREETING_PATH} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        let body = format!("{{\"message\":\"{}\"}}", Hello::to("ada").message).into_bytes();
        Self { requests: headers.iter().map(|headers| request(headers).into_bytes()).collect(), body }
    }

    /// Places the order of 1,024 bytes with each of these header lines in turn.
    pub(crate) fn orders(headers: &[String]) -> Self {
        let body = Order::sample().to_json();
        let length = body.len();
        let head = format!(
            "POST {ORDERS_PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
        );
        let request = |headers: &String| [format!("{head}{headers}\r\n").as_bytes(), &body].concat();
        Self { requests: headers.iter().map(request).collect(), body }
    }

    /// Places the order of 1,024 bytes.
    pub(crate) fn order() -> Self {
        Self::orders(&[String::new()])
    }

    /// The request whose turn it is.
    pub(crate) fn request(&self, turn: usize) -> &[u8] {
        &self.requests[turn % self.requests.len()]
    }

    /// Whether these bytes are the answer.
    pub(crate) fn is_answered_by(&self, answer: &[u8]) -> bool {
        answer.starts_with(STATUS) && answer.ends_with(&self.body)
    }
}

/// The length of the first answer in `received`, once its head is there. Answers have a `Content-Length`.
pub(crate) fn length(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let fields = received[..head].split(|byte| *byte == b'\n').filter_map(|line| line.split_once_colon());
    let length = fields
        .filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"))
        .find_map(|(_, value)| str::from_utf8(value).ok()?.trim().parse::<usize>().ok());
    Some(head + length.unwrap_or(0))
}

trait SplitOnceColon {
    fn split_once_colon(&self) -> Option<(&[u8], &[u8])>;
}

impl SplitOnceColon for [u8] {
    fn split_once_colon(&self) -> Option<(&[u8], &[u8])> {
        let at = self.iter().position(|byte| *byte == b':')?;
        Some((&self[..at], &self[at + 1..]))
    }
}

#[test]
fn an_answer_is_as_long_as_its_head_and_content_length_say() {
    assert_eq!(length(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"), Some(40));
    assert_eq!(length(b"HTTP/1.1 204 No Content\r\n\r\n"), Some(27));
    assert_eq!(length(b"HTTP/1.1 200 OK\r\nContent-Le"), None);
}
