//! Which calls a condition holds of.

use std::net::SocketAddr;

use http::HeaderValue;
use serde_json::{Value, json};

use super::*;
use crate::invocation::Params;
use crate::invocation::{Peer, fixture};
use crate::operation::Operation;

fn condition(when: Value) -> Result<Condition, BuildError> {
    serde_json::from_value::<When>(when).unwrap().build()
}

fn call(method: &str, uri: &str, headers: &[(&'static str, &'static str)]) -> Invocation {
    let mut call = fixture::call(fixture::request(method, uri));
    for (name, value) in headers {
        call.parts.headers.append(*name, value.parse().unwrap());
    }
    call
}

fn check(when: Value, call: &Invocation, expected: bool) {
    let text = when.to_string();
    assert_eq!(condition(when).unwrap().holds(call), expected, "{text} of {call:?}");
}

/// The cases C12 and C13 of go-chassis's users.
#[test]
fn all_of_an_entry_or_one_of_several_must_hold() {
    let when = json!([
        {
            "method": ["GET"],
            "path": { "contains": "path/test" },
            "header": { "cookie": { "regex": "^(.*?;)?(user=jason)(;.*)?$" }, "user": "jason" },
        },
        { "path": "/test2" },
    ]);
    let user = ("user", "jason");
    check(when.clone(), &call("GET", "/path/test", &[user]), false);
    check(when.clone(), &call("GET", "/path/test", &[user, ("cookie", "asdfojjsdof;user=jason;sfaoabc")]), true);
    check(when.clone(), &call("POST", "/path/test", &[user, ("cookie", "user=jason")]), false);
    check(when, &call("POST", "/test2", &[]), true);
}

#[test]
fn a_method_is_one_of_those_listed() {
    check(json!({ "method": ["GET"] }), &call("GET", "/test", &[]), true);
    check(json!({ "method": ["GET"] }), &call("POST", "/test", &[]), false);
    check(json!({}), &call("POST", "/test", &[]), true);
}

#[test]
fn a_parameter_is_compared_decoded() {
    let when = json!({ "query": { "mait": { "suffix": "s" } } });
    check(when.clone(), &call("GET", "/?mait=2s", &[]), true);
    check(when.clone(), &call("GET", "/?mait=2%73&mait=3", &[]), true);
    check(when.clone(), &call("GET", "/", &[]), false);
    check(when, &call("GET", "/?other=2s", &[]), false);
}

/// HTTP/2 says the host in its target.
#[test]
fn a_host_is_compared_whatever_the_protocol_is() {
    let when = |test: Value| json!({ "header": { "host": test } });
    for call in [call("GET", "https://a.example/", &[]), call("GET", "/", &[("host", "a.example")])] {
        check(when(json!("a.example")), &call, true);
        check(when(json!({ "not": "a.example" })), &call, false);
        check(when(json!({ "present": false })), &call, false);
    }
}

#[test]
fn what_is_not_there_fits_nothing_but_its_absence() {
    let without = call("GET", "/", &[]);
    for test in [json!("a"), json!({ "not": "a" }), json!({ "regex": ".*" }), json!({ "present": true })] {
        check(json!({ "header": { "x-a": test } }), &without, false);
    }
    check(json!({ "header": { "x-a": { "present": false } } }), &without, true);
    check(json!({ "header": { "x-a": { "present": false } } }), &call("GET", "/", &[("x-a", "")]), false);
    check(json!({ "header": { "x-a": { "not": "a" } } }), &call("GET", "/", &[("x-a", "b")]), true);
}

#[test]
fn nobody_gets_rid_of_a_denial_by_sending_more() {
    let header = |test: Value, expected: bool| {
        for values in [["a", "b"], ["b", "a"]] {
            let call = call("GET", "/", &values.map(|value| ("x-a", value)));
            check(json!({ "header": { "x-a": test } }), &call, expected);
        }
    };
    header(json!({ "not": "a" }), false);
    header(json!({ "not": "c" }), true);
    header(json!({ "not": "A", "ignore-case": true }), false);
    header(json!({ "not": "c", "prefix": "a" }), true);
    header(json!({ "not": "c", "prefix": "d" }), false);
    header(json!({ "not": "b", "prefix": "a" }), false);
    header(json!("a"), true);
    check(json!({ "query": { "q": { "not": "a" } } }), &call("GET", "/?q=b&q=%61", &[]), false);
    check(json!({ "query": { "q": { "not": "a" } } }), &call("GET", "/?q=b&p=a", &[]), true);
}

#[test]
fn every_operator_compares_as_it_says() {
    let text = |test: Value, value: &'static str, expected: bool| {
        check(json!({ "header": { "x-a": test } }), &call("GET", "/", &[("x-a", value)]), expected);
    };
    text(json!({ "in": ["a", "b"] }), "b", true);
    text(json!({ "in": ["a", "b"] }), "c", false);
    text(json!({ "prefix": "ab" }), "abc", true);
    text(json!({ "suffix": "bc", "prefix": "b" }), "abc", false);
    text(json!({ "regex": "[0-9]+" }), "12", true);
    text(json!({ "regex": "[0-9]+" }), "12a", false);
    text(json!({ "regex": "a|b" }), "bc", false);
    text(json!({ "exact": "bar", "ignore-case": true }), "BAR", true);
    text(json!({ "regex": "ba.", "ignore-case": true }), "BAR", true);
    text(json!({ "greater": 10 }), "15", true);
    text(json!({ "greater": 10 }), "10", false);
    text(json!({ "at-least": 100 }), "120", true);
    text(json!({ "at-most": 100 }), "120", false);
    text(json!({ "less": 100 }), "99.5", true);
    text(json!({ "less": 100 }), "many", false);
}

#[test]
fn a_number_is_finite() {
    for (test, odd) in [("greater", "inf"), ("less", "-inf"), ("at-least", "infinity"), ("at-most", "NaN")] {
        check(json!({ "header": { "x-a": { test: 10 } } }), &call("GET", "/", &[("x-a", odd)]), false);
    }
}

/// RFC 9113 §8.2.3.
#[test]
fn a_cookie_that_http2_sent_in_pieces_is_one() {
    let when = json!({ "header": { "cookie": { "regex": "a=1; .*b=2" } } });
    let pieces = [("cookie", "a=1"), ("cookie", "c=3"), ("cookie", "b=2")];
    check(when.clone(), &call("GET", "/", &pieces), true);
    check(when, &call("GET", "/", &pieces[..2]), false);
    check(json!({ "header": { "cookie": { "not": "a=1" } } }), &call("GET", "/", &pieces[..1]), false);
}

#[test]
fn a_path_is_compared_however_it_is_spelled() {
    let path =
        |test: Value, sent: &str, expected: bool| check(json!({ "path": test }), &call("GET", sent, &[]), expected);
    for sent in ["/reports", "/%72eports", "/reports/", "/report%73/", "/reports?a=b"] {
        path(json!("/reports"), sent, true);
        path(json!("/reports/"), sent, true);
        path(json!("/%72eports"), sent, true);
        path(json!({ "in": ["/a", "/reports"] }), sent, true);
        path(json!({ "not": "/reports" }), sent, false);
        path(json!({ "regex": "/[a-z]+" }), sent, true);
        path(json!({ "suffix": "ports" }), sent, true);
        path(json!({ "exact": "/REPORTS", "ignore-case": true }), sent, true);
    }
    path(json!({ "prefix": "/files/" }), "/files/", true);
    path(json!({ "prefix": "/files/" }), "/files", false);
    path(json!({ "prefix": "/a%20b" }), "/a b".replace(' ', "%20").as_str(), true);
}

#[test]
fn what_is_another_path_to_operations_is_one_to_a_condition() {
    for (wanted, sent) in
        [("/a/b", "/a%2Fb"), ("/a", "/a//"), ("/", "//"), ("/a", "/A"), ("/a", "/%"), ("/a:b", "/a%3ab")]
    {
        check(json!({ "path": wanted }), &call("GET", sent, &[]), false);
        check(json!({ "path": { "not": wanted } }), &call("GET", sent, &[]), true);
    }
    check(json!({ "path": "/a%2fb" }), &call("GET", "/a%2Fb", &[]), true);
}

#[test]
fn a_peer_an_operation_and_a_mark_are_each_one_of_those_listed() {
    let mut call = fixture::with_operation(
        fixture::request("GET", "/"),
        Operation::new("greeting", "hello", "GET", "/"),
        Params::default(),
    );
    call.call.peer = Peer::Ip(SocketAddr::from(([10, 1, 2, 3], 5)));
    check(json!({ "peer": ["10.0.0.0/8"] }), &call, true);
    check(json!({ "peer": ["192.0.2.7", "unix"] }), &call, false);
    check(json!({ "operation": ["*.list", "greeting.*"] }), &call, true);
    check(json!({ "operation": ["*.list"] }), &call, false);
    check(json!({ "mark": ["gold"] }), &call, false);
    check(json!({ "mark": ["gold", "none"] }), &call, true);
    call.call.locals.set(Mark("gold".into()));
    check(json!({ "mark": ["silver", "gold"] }), &call, true);
    check(json!({ "mark": ["silver", "none"] }), &call, false);
}

#[test]
fn what_cannot_be_compared_is_refused_at_its_key() {
    let refused = |when: Value| condition(when).err().map(|error| (error.at.clone(), error.message));
    let (at, message) = refused(json!([{}, { "header": { "cookie": { "regex": "(" } } }])).unwrap();
    assert_eq!(at, "[1].header.cookie.regex");
    assert_eq!(message, "`(` is no expression: unclosed group");
    let (_, message) = refused(json!({ "path": { "regex": "(a{1000}){1000}" } })).unwrap();
    assert_eq!(message, "`(a{1000}){1000}` becomes larger than 1MiB");
    assert!(condition(json!({ "path": { "regex": "(?x) /a # b" } })).is_ok());
    assert_eq!(refused(json!({ "method": ["G T"] })).unwrap().0, "method[0]");
    let (at, message) = refused(json!({ "method": ["GET", "post"] })).unwrap();
    assert_eq!((&*at, &*message), ("method[1]", "`post` has small letters, and that method has none"));
    assert_eq!(refused(json!({ "method": ["GET", "purge", "Subscribe"] })), None);
    assert_eq!(refused(json!([])).unwrap().1, "the list is empty, so that this is for no call");
    assert_eq!(refused(json!({ "operation": ["greeting"] })).unwrap().0, "operation[0]");
    assert_eq!(refused(json!({ "header": { "a b": "c" } })).unwrap().0, "header.a b");
    assert_eq!(refused(json!({ "path": {} })).unwrap().0, "path");
}

#[test]
fn what_cannot_be_read_is_said_at_its_key() {
    let unread = |when: Value| {
        let error = crate::conf::typed::<When>(when).unwrap_err();
        (error.at, error.message)
    };
    let (at, message) = unread(json!({ "method": ["GET"], "peer": ["unix", "localhost"] }));
    assert_eq!(at, "peer[1]");
    assert!(message.starts_with("`localhost` is not a network: write `10.0.0.0/8`"), "{message}");
    assert_eq!(unread(json!([{}, { "peer": ["10.0.0.0/33"] }])).0, "[1].peer[0]");
    assert_eq!(unread(json!({ "header": { "x-a": { "less": "few" } } })).0, "header.x-a.less");
    assert!(unread(json!("POST")).1.contains("expected what holds of the calls"));
}

#[test]
fn a_value_that_is_no_ascii_is_there_and_is_compared() {
    let mut call = call("GET", "/", &[]);
    for (sent, text) in [("é".as_bytes(), "é"), (b"gold\xff", "gold\u{fffd}"), (b"\xff", "\u{fffd}")] {
        call.parts.headers.insert("x-a", HeaderValue::from_bytes(sent).unwrap());
        let tests =
            [(json!({ "present": false }), false), (json!({ "present": true }), true), (json!({ "not": "a" }), true)];
        for (test, expected) in tests.into_iter().chain([(json!(text), true)]) {
            check(json!({ "header": { "x-a": test } }), &call, expected);
        }
    }
}

#[test]
fn what_can_hold_of_nothing_is_refused() {
    for (when, key, message) in [
        (json!({ "header": { "x-a": { "in": [] } } }), "header.x-a.in", "empty"),
        (json!({ "query": { "a": { "present": false, "exact": "a" } } }), "query.a.present", "cannot be compared"),
        (json!({ "header": { "x-a": { "greater": 9_007_199_254_740_992_u64 } } }), "header.x-a.greater", "too large"),
        (json!({ "header": { "x-a": { "at-least": -1e300 } } }), "header.x-a.at-least", "too large"),
        (
            json!({ "header": { "x-a": { "less": 5, "greater": 6 } } }),
            "header.x-a.greater",
            "between `greater` and `less`",
        ),
        (json!({ "query": { "a": { "at-most": 5, "greater": 5 } } }), "query.a.greater", "`greater` and `at-most`"),
        (json!({ "query": { "a": { "less": 5, "at-least": 5 } } }), "query.a.at-least", "`at-least` and `less`"),
        (json!({ "query": { "a": { "at-most": 4, "at-least": 5 } } }), "query.a.at-least", "`at-least` and `at-most`"),
        (json!({ "path": "greetings/ada" }), "path", "no path is `greetings/ada`"),
        (json!({ "path": "/greetings?x=1" }), "path", "no path"),
        (json!({ "path": { "prefix": "greetings" } }), "path.prefix", "no path"),
        (json!({ "path": { "in": ["/a", "b"] } }), "path.in[1]", "no path is `b`"),
        (json!({ "path": { "present": false } }), "path.present", "always there"),
        (json!({ "path": { "greater": 1 } }), "path", "no number"),
        (json!({ "method": ["*"] }), "method[0]", "is no method"),
    ] {
        let error = condition(when.clone()).err().unwrap_or_else(|| panic!("{when} is accepted"));
        assert!(error.at == key && error.message.contains(message), "{when}: {error}");
    }
    let five = json!({ "header": { "x-a": { "at-least": 5, "at-most": 5, "greater": 4, "less": 6 } } });
    for when in [five, json!({ "path": "*" }), json!({ "header": { "x-a": { "less": 9_007_199_254_740_991_u64 } } })] {
        assert!(condition(when.clone()).is_ok(), "{when}");
    }
}
