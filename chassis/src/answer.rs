//! What operations answer with. All of it is axum's [`IntoResponse`], and so goes into tuples with status and fields.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use serde::Serialize;

use crate::argument::Json;
use crate::fault::Fault;
use crate::reply;

mod document;
mod location;

pub use location::Segment;

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match document::write(&self.0) {
            Ok(document) => with_json(Body::from(document)),
            Err(error) => Fault::internal(error).into_response(),
        }
    }
}

fn with_json(body: Body) -> Response {
    let mut headers = reply::empty();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// 201: something was created, and this is it, as JSON (RFC 9110 §15.3.2). A value that is `null` in JSON, such as
/// `()`, is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T = ()> {
    location: Option<String>,
    value: T,
}

impl<T> Created<T> {
    /// It was created where the call was sent to, as a PUT does.
    pub fn here(value: T) -> Self {
        Self { location: None, value }
    }

    /// It was created at this URI: absolute, or relative to the one of the call, such as `/greetings/ada`. Put a
    /// [`Segment`] where it holds a value.
    pub fn at(location: impl Into<String>, value: T) -> Self {
        Self { location: Some(location.into()), value }
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        located(StatusCode::CREATED, self.location, &self.value)
    }
}

/// 202: it will be done, and this is how far it is, as JSON (RFC 9110 §15.3.3). A value that is `null` in JSON, such
/// as `()`, is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted<T = ()> {
    location: Option<String>,
    value: T,
}

impl<T> Accepted<T> {
    /// It will be done, and there is nothing to ask for how far it is.
    pub fn new(value: T) -> Self {
        Self { location: None, value }
    }

    /// It will be done, and this URI tells how far it is.
    pub fn at(location: impl Into<String>, value: T) -> Self {
        Self { location: Some(location.into()), value }
    }
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        located(StatusCode::ACCEPTED, self.location, &self.value)
    }
}

fn located(status: StatusCode, location: Option<String>, value: &impl Serialize) -> Response {
    let document = match document::write(value) {
        Ok(document) => document,
        Err(error) => return Fault::internal(error).into_response(),
    };
    let mut response = if document == "null" { Response::new(Body::empty()) } else { with_json(Body::from(document)) };
    *response.status_mut() = status;
    if let Some(location) = location {
        response.headers_mut().insert(LOCATION, location::field(&location));
    }
    response
}

/// 204: it is done, and there is nothing more to say (RFC 9110 §15.3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_util::FutureExt;
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;
    use crate::fault::Code;
    use crate::reply::Reply;

    fn body(response: Response) -> String {
        let body = response.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        String::from_utf8(body.into()).unwrap()
    }

    #[test]
    fn json_says_what_it_is() {
        let response = Json(json!({"a": [1, "ä"]})).into_response();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(body(response), r#"{"a":[1,"ä"]}"#);
    }

    #[test]
    fn answers_go_together_with_status_and_fields() {
        let response = (StatusCode::IM_A_TEAPOT, [("x-a", "1")], Json(7)).into_response();
        assert_eq!((response.status(), response.headers()["x-a"].as_bytes()), (StatusCode::IM_A_TEAPOT, &b"1"[..]));
        assert_eq!(body(response), "7");
    }

    #[test]
    fn what_cannot_be_written_as_json_is_a_fault_that_says_nothing_internal() {
        let not_json = || BTreeMap::from([((1, 2), 3)]);
        for response in [Json(not_json()).into_response(), Created::here(not_json()).into_response()] {
            let reply = Reply::from(response);
            let fault = reply.fault().unwrap();
            assert_eq!(fault.code(), Code::Internal);
            assert!(!fault.detail().contains("key"));
        }
    }

    #[test]
    fn what_was_created_is_at_its_location() {
        let response = Created::at(format!("/greetings/{}", Segment("Ada/L ä")), "hello").into_response();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()[LOCATION], "/greetings/Ada%2FL%20%C3%A4");
        assert_eq!(body(response), r#""hello""#);
    }

    #[test]
    fn an_answer_without_a_value_has_no_body() {
        for (response, status) in [
            (Created::here(()).into_response(), StatusCode::CREATED),
            (Accepted::new(()).into_response(), StatusCode::ACCEPTED),
            (NoContent.into_response(), StatusCode::NO_CONTENT),
        ] {
            assert_eq!(response.status(), status);
            assert!(response.headers().is_empty());
            assert_eq!(body(response), "");
        }
    }

    #[test]
    fn what_was_accepted_says_where_to_ask() {
        let response = Accepted::at("/jobs/7", json!({"done": 0.5})).into_response();
        assert_eq!(
            (response.status(), &response.headers()[LOCATION]),
            (StatusCode::ACCEPTED, &"/jobs/7".parse().unwrap())
        );
        assert_eq!(body(response), r#"{"done":0.5}"#);
    }
}
