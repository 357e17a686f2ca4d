//! What the service promises, through its whole chain and without a socket.

use std::time::Duration;

use chassis::testing::{Answer, TestApp, principal};
use serde_json::{Value, json};

async fn greeter() -> TestApp {
    TestApp::builder("greeter").conf_file("../../conf/greeter.yaml").start().await.expect("conf/greeter.yaml is right")
}

async fn remember(app: &TestApp, name: &str) -> Answer {
    let host = principal("ada").scopes(["greetings:write"]);
    app.post("/greetings").principal(host).json(&json!({ "name": name })).send().await
}

#[tokio::test(start_paused = true)]
async fn anyone_is_greeted() {
    let app = greeter().await;
    let answer = app.get("/greetings/Ada%20L").send().await;
    assert_eq!((answer.status().as_u16(), answer.text()), (200, r#"{"message":"Hello, Ada L!"}"#.to_owned()));
    assert_eq!(app.spy("auth").passed(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_is_listed_a_page_at_a_time_until_it_is_forgotten() {
    let app = greeter().await;
    for name in ["bob", "cleo", "dan"] {
        let answer = remember(&app, name).await;
        assert_eq!(answer.status(), 201, "{}", answer.text());
        assert_eq!(answer.header("location"), Some(format!("/greetings/{name}").as_str()));
    }
    let page = app.get("/greetings?limit=2").principal(principal("eve")).send().await;
    assert_eq!(page.json::<Value>(), json!({ "names": ["bob", "cleo"], "next": "cleo" }));
    let rest = app.get("/greetings?limit=2&after=cleo").principal(principal("eve")).send().await;
    assert_eq!(rest.json::<Value>(), json!({ "names": ["dan"] }));

    let admin = principal("root").roles(["admin"]);
    assert_eq!(app.delete("/greetings/dan").principal(admin.clone()).send().await.status(), 204);
    let again = app.delete("/greetings/dan").principal(admin).send().await;
    assert_eq!((again.status().as_u16(), again.code().as_deref()), (404, Some("not-found")));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_remembered_who_cannot_be_forgotten() {
    // Each is a caller of its own: there is a limit.
    for name in ["", ".", "..", "\0", "a\nb", "\u{85}", &"x".repeat(201), &"é".repeat(101)] {
        let answer = remember(&greeter().await, name).await;
        assert_eq!((answer.status().as_u16(), answer.header("location")), (422, None), "{name:?}");
        assert_eq!(answer.json::<Value>()["violations"][0]["pointer"], "/name", "{name:?}");
    }
    for name in ["...", "a/b", " ", "é", "%2e", &"x".repeat(200), &"é".repeat(100)] {
        let app = greeter().await;
        let location = remember(&app, name).await.header("location").unwrap().to_owned();
        assert_eq!(
            app.delete(&location).principal(principal("root").roles(["admin"])).send().await.status(),
            204,
            "{name:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_size_that_is_not_served_is_refused_with_the_sizes_that_are() {
    let app = greeter().await;
    for query in ["limit=0", "limit=101", "limit=5000"] {
        let answer = app.get(&format!("/greetings?{query}")).principal(principal("eve")).send().await;
        let problem = answer.json::<Value>();
        assert_eq!(answer.status(), 400, "{query}");
        assert_eq!(problem["detail"], "The query parameter `limit` does not fit: it must be from 1 to 100.");
        assert_eq!(problem["violations"][0]["pointer"], "/limit");
    }
    for query in ["limit=1", "limit=100", "limit=", ""] {
        let answer = app.get(&format!("/greetings?{query}")).principal(principal("eve")).send().await;
        assert_eq!(answer.status(), 200, "{query} {}", answer.text());
    }
}

#[test]
fn the_configuration_that_ships_opens_no_port_to_the_network() {
    let yaml = include_str!("../../../conf/greeter.yaml");
    let listens: Vec<_> = yaml.split("listen: \"").skip(1).collect();
    assert_eq!(listens.len(), 2, "one for calls, one for the admin port: its default is open");
    assert!(listens.iter().all(|listen| listen.starts_with("127.0.0.1:")), "{yaml}");
}

#[tokio::test(start_paused = true)]
async fn callers_need_what_the_operation_asks_for() {
    let app = greeter().await;
    let stranger = app.get("/greetings").send().await;
    assert_eq!((stranger.status().as_u16(), stranger.refused_by().as_deref()), (401, Some("auth")));
    assert!(stranger.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer ")));
    let guest = principal("eve");
    let forbidden = app.post("/greetings").principal(guest.clone()).json(&json!({ "name": "x" })).send().await;
    assert_eq!((forbidden.status().as_u16(), forbidden.code().as_deref()), (403, Some("permission-denied")));
    assert_eq!(app.delete("/greetings/x").principal(guest).send().await.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn writing_is_limited_for_each_caller_and_recovers() {
    let app = greeter().await;
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(remember(&app, name).await.status(), 201);
    }
    let refused = remember(&app, "f").await;
    assert_eq!((refused.status().as_u16(), refused.refused_by().as_deref()), (429, Some("rate-limit")));
    assert!(refused.header("retry-after").is_some());
    app.advance(Duration::from_secs(1)).await;
    assert_eq!(remember(&app, "f").await.status(), 201);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_welcome_is_not_greeted() {
    let app = greeter().await;
    for spelling in ["Mallory", "%6Dallory", "%6d%61%6c%6c%6f%72%79"] {
        let answer = app.get(&format!("/greetings/{spelling}")).send().await;
        let refused = (answer.status().as_u16(), answer.refused_by());
        assert_eq!(refused, (403, Some("house-rules".to_owned())), "{spelling}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_wrong_is_refused_with_its_place() {
    let app = greeter().await;
    let host = principal("ada").scopes(["greetings:write"]);
    for wrong in [json!({ "name": 7 }), json!({ "name": "" })] {
        let answer = app.post("/greetings").principal(host.clone()).json(&wrong).send().await;
        assert_eq!(answer.status(), 422, "{}", answer.text());
        assert_eq!(answer.json::<Value>()["violations"][0]["pointer"], "/name");
    }
}
