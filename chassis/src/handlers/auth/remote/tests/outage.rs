//! The issuer is away, for a while or for too long.

use super::*;

#[tokio::test(start_paused = true)]
async fn known_keys_are_good_while_the_issuer_is_away_but_not_for_ever() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "stale": "30m" })).await;
    issuer.publish(None);
    let (token, other) = (token_by("a"), format!("{}A", token_by("a")));
    // The next fetch is due 8 to 9 minutes after the first; it is the one that finds the issuer away.
    for _ in 0..38 {
        after(59).await;
    }
    assert!(rig.passes(&token).await);
    let asked = issuer.asked();
    assert!((20..60).contains(&asked), "asked {asked} times in half an hour");
    after(120).await;
    assert_eq!(rig.call(&other).await, (UNAVAILABLE, false));
    assert_eq!(rig.call(&token).await, (UNAVAILABLE, false), "what is remembered rests on the keys too");
    issuer.publish(published(&["a"]));
    after(61).await;
    assert!(rig.passes(&token).await, "back by itself");
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_become_stale_while_their_issuer_answers() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "stale": "4s", "cool-down": "1s" })).await;
    settle().await;
    for _ in 0..30 {
        after(59).await;
        assert_eq!(rig.call(&format!("{}A", token_by("a"))).await, (UNAUTHORIZED, false));
    }
    issuer.publish(None);
    assert_eq!(rig.call(&token_by("b")).await, (UNAUTHORIZED, true), "the fetch that finds it away");
    issuer.publish(published(&["a"]));
    for _ in 0..10 {
        after(1).await;
    }
    assert!(rig.passes(&token_by("a")).await, "it answered again, late or not");
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_stays_remembered_over_an_outage() {
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "stale": "1s", "cool-down": "1s" })).await;
    let (a, clock) = (token_by("a"), rig.auth.0.clock);
    let remembered = || rig.auth.0.schemes.tokens.as_ref().unwrap().remembers(&a, clock.now());
    assert!(rig.passes(&a).await && remembered());
    issuer.publish(None);
    assert_eq!(rig.call(&token_by("b")).await, (UNAUTHORIZED, true), "the fetch that finds it away");
    after(1).await;
    assert!(!remembered());
    issuer.publish(published(&["a"]));
    after(10).await;
    assert!(remembered());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_when_it_matters_and_when_it_is_over_and_not_by_each_call() {
    let page = Page::default();
    let _lines = tracing::subscriber::set_default(page.subscriber());
    let issuer = Issuer::with(published(&["a"]));
    let (rig, _) = Rig::start(issuer.clone(), json!({ "stale": "1m", "cool-down": "1s" })).await;
    issuer.publish(None);
    for _ in 0..20 {
        after(60).await;
    }
    assert!(!rig.passes(&token_by("a")).await);
    assert!(rig.auth.0.challenge.refused(Refusal::Unready).cause().is_none());
    issuer.publish(published(&["a"]));
    after(60).await;
    let text = page.text();
    let count = |level: &str| text.lines().filter(|line| line.contains(level)).count();
    assert_eq!((count("ERROR"), count("INFO")), (1, 2), "{text}");
    assert!(text.lines().any(|line| line.contains("those that are known stay")), "{text}");
    assert!(text.lines().any(|line| line.contains("tokens are refused until they are")), "{text}");
}
