//! Keys come, go and stay; the issuer is slow, or asked by a flood.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, started) = Rig::start(issuer.clone(), json!({})).await;
    assert_eq!(started, Ok(()));
    assert_eq!(rig.call(&token_by("a")).await, (Ok(()), false));
    issuer.publish(published(&["a", "b"]));
    assert_eq!(rig.call(&token_by("b")).await, (Ok(()), true));
    assert_eq!(rig.call(&token_by("b")).await, (Ok(()), false));
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refused_as_soon_as_its_key_is_gone_and_others_stay_remembered() {
    let issuer = Issuer::with(published(&["a", "b"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    let (a, b) = (token_by("a"), token_by("b"));
    assert!(rig.passes(&a).await && rig.passes(&b).await);
    issuer.publish(published(&["b"]));
    after(540).await;
    assert_eq!(issuer.asked(), 2);
    let remembered = |token: &str| {
        let tokens = rig.auth.0.schemes.tokens.as_ref().unwrap();
        tokens.remembers(token, rig.auth.0.clock.now())
    };
    assert!(!remembered(&a), "what the key proved goes with it");
    assert_eq!(rig.call(&a).await.0, UNAUTHORIZED);
    assert!(rig.passes(&b).await);
}

#[tokio::test(start_paused = true)]
async fn what_an_unchanged_key_proved_stays_remembered() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "cool-down": "1s" })).await;
    let a = token_by("a");
    assert!(rig.passes(&a).await);
    issuer.publish(published(&["a", "b"]));
    assert!(rig.passes(&token_by("b")).await);
    assert!(rig.auth.0.schemes.tokens.as_ref().unwrap().remembers(&a, rig.auth.0.clock.now()));
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_before_they_grow_old() {
    for (max_age, from, to) in [(Some(600), 480, 540), (Some(5), 240, 270), (Some(86_400), 720, 810), (None, 240, 270)]
    {
        let state = State { published: Mutex::new(Some(published(&["a"]))), ..State::default() };
        let issuer = Issuer(Arc::new(State { max_age: max_age.map(Duration::from_secs), ..state }));
        let (_rig, _) = Rig::start(issuer.clone(), json!({})).await;
        settle().await;
        after(from - 1).await;
        assert_eq!(issuer.asked(), 1, "{max_age:?}");
        after(to - from + 1).await;
        assert_eq!(issuer.asked(), 2, "{max_age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_keys_makes_one_fetch_a_cool_down() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    let mut waited = 0;
    for second in 0..80 {
        for number in 0..20 {
            let (outcome, long) = rig.call(&token_by(&format!("made-up-{second}-{number}"))).await;
            assert_eq!(outcome, UNAUTHORIZED);
            waited += usize::from(long);
        }
        after(1).await;
    }
    // Each cool-down begins when the fetch before it ended.
    assert_eq!((issuer.asked() - 1, waited), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn many_that_ask_at_once_wait_for_the_same_fetch() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    issuer.publish(published(&["a", "b"]));
    let (good, bad) = (token_by("b"), token_by("c"));
    let calls = (0..100).map(|at| rig.call(if at % 2 == 0 { &good } else { &bad }));
    let outcomes = futures_util::future::join_all(calls).await;
    assert_eq!(outcomes.iter().filter(|(outcome, waited)| outcome.is_ok() && *waited).count(), 50);
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_issuer_does_not_have_is_not_asked_for_again() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "cool-down": "1s" })).await;
    let unknown = token_by("b");
    assert_eq!(rig.call(&unknown).await, (UNAUTHORIZED, true));
    after(10).await;
    assert_eq!(rig.call(&unknown).await, (UNAUTHORIZED, false));
    assert_eq!(issuer.asked(), 2);
    assert_eq!(rig.call(&token_by("c")).await, (UNAUTHORIZED, true), "another one is");
}

#[tokio::test(start_paused = true)]
async fn a_set_that_was_under_way_before_says_nothing_of_a_key_that_is_newer() {
    let issuer = Issuer::slow(published(&["a"]), Duration::from_secs(5));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "timeout": "6s" })).await;
    while issuer.asked() < 2 {
        after(1).await;
    }
    issuer.publish(published(&["a", "b"]));
    assert_eq!(rig.call(&token_by("b")).await, (UNAUTHORIZED, true), "it waited for the old set");
    assert_eq!(rig.call(&token_by("b")).await, (Ok(()), true), "and asks again");
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_not_taken_for_unknown_because_the_issuer_is_away() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "cool-down": "1s" })).await;
    issuer.publish(None);
    assert_eq!(rig.call(&token_by("b")).await, (UNAUTHORIZED, true));
    issuer.publish(published(&["a", "b"]));
    after(2).await;
    assert_eq!(rig.call(&token_by("b")).await, (Ok(()), true));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_stops_no_fetch() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    issuer.publish(published(&["b"]));
    let token = token_by("b");
    assert!(tokio::time::timeout(Duration::from_millis(10), rig.call(&token)).await.is_err());
    settle().await;
    assert_eq!(rig.call(&token).await, (Ok(()), false));
}

#[tokio::test(start_paused = true)]
async fn without_the_first_keys_the_service_does_not_start_unless_it_may_try() {
    let issuer = Issuer::default();
    let (_, started) = Rig::start(issuer.clone(), json!({})).await;
    let error = started.unwrap_err();
    assert_eq!(error.to_string(), "`jwt.keys`: the keys of the issuer are not to be had: it is away");
    assert!(error.help.unwrap().contains("`at-start: try`"));

    let (rig, started) = Rig::start(issuer.clone(), json!({ "at-start": "try" })).await;
    assert_eq!(started, Ok(()));
    assert_eq!(rig.call(&token_by("a")).await, (UNAVAILABLE, false));
    issuer.publish(published(&["a"]));
    after(5).await;
    after(10).await;
    assert_eq!(rig.call(&token_by("a")).await, (Ok(()), false));
}

#[tokio::test(start_paused = true)]
async fn a_published_secret_proves_nothing() {
    let mut keys = published(&["a"]);
    let secret = secrets("s", SECRET)["keys"][0].clone();
    keys["keys"].as_array_mut().unwrap().push(secret);
    let (rig, _) = Rig::start(Issuer::with(keys.clone()), json!({})).await;
    let forged = signed(&json!({ "alg": "HS256", "kid": "s" }), &claims(json!({})));
    assert_eq!(rig.call(&forged).await.0, UNAUTHORIZED);
    // The classic: a public key for a secret.
    let x = keys["keys"][0]["x"].as_str().unwrap().to_owned();
    for secret in [x.as_bytes(), ED25519_PUBLIC] {
        let forger = signer(Algorithm::HS256, EncodingKey::from_secret(secret));
        let token = forger.sign(&json!({ "alg": "HS256", "kid": "a" }), &claims(json!({}))).unwrap();
        assert_eq!(rig.call(&token).await, (UNAUTHORIZED, false), "a known key is not fetched again");
    }
    assert!(rig.passes(&token_by("a")).await);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_cannot_be_used_takes_nothing_away() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    let twice = json!({ "keys": [published(&["a"])["keys"][0], published(&["a"])["keys"][0]] });
    for broken in [json!({}), json!({ "keys": [] }), secrets("s", SECRET), json!([1]), twice] {
        issuer.publish(broken);
        after(545).await;
        assert!(rig.passes(&token_by("a")).await);
    }
    let odd = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "q", "pub": "x" });
    let private = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "p", "x": base64([7; 32]), "d": "AA" });
    issuer.publish(json!({ "keys": [odd, private, 7, published(&["b"])["keys"][0]] }));
    after(545).await;
    assert!(rig.passes(&token_by("b")).await, "what is known of a set is taken");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_name_no_key_or_are_too_long_make_nobody_ask() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    let unnamed = signed(&json!({ "alg": "HS256" }), &claims(json!({})));
    let long = signed(&json!({ "alg": "HS256", "kid": "b".repeat(9_000) }), &claims(json!({})));
    for token in [unnamed.as_str(), &long, "a.b.c", "any"] {
        assert_eq!(rig.call(token).await, (UNAUTHORIZED, false));
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn fetching_ends_with_the_process_and_with_the_handler() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    let (one, _) = Rig::start(issuer.clone(), json!({})).await;
    rig.works.end().await;
    drop(one.auth);
    one.works.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_came_of_fetches_is_counted_and_the_age_of_keys_shown() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({})).await;
    issuer.publish(None);
    after(600).await;
    let shown = |name: &str| {
        let families = rig.process.metrics.families();
        let family = families.iter().find(|family| family.spec.name == name).unwrap();
        family.series.iter().map(|series| format!("{:?} {:?}", series.labels, series.measured)).collect::<BTreeSet<_>>()
    };
    let fetches = shown("chassis.auth.keys.fetches");
    assert!(fetches.iter().any(|series| series.contains("\"fetched\"") && series.contains("1")), "{fetches:?}");
    assert!(fetches.iter().any(|series| series.contains("\"failed\"")), "{fetches:?}");
    let age = shown("chassis.auth.keys.age");
    assert!(age.iter().all(|series| series.contains("https://id.example") && series.contains("600")), "{age:?}");
}
