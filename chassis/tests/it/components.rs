//! Components start in the order they need each other, and stop in the reverse of it.

use std::collections::BTreeMap;
use std::future::pending;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use chassis::app::App;
use chassis::cli::Package;
use chassis::conf::Sources;
use chassis::lifecycle::Exit;
use chassis::prelude::*;
use tokio::sync::Notify;

use crate::rig::{SIGNALS, refusal, service, started};

/// What happened, under the name that each test gives.
static DIARIES: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());

/// That a component of the diary `abandoned` is waiting, and will be for ever.
static WAITING: Notify = Notify::const_new();

fn note(diary: &str, entry: String) {
    DIARIES.lock().unwrap_or_else(PoisonError::into_inner).entry(diary.to_owned()).or_default().push(entry);
}

fn read(diary: &str) -> String {
    DIARIES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(diary)
        .map(|entries| entries.join(" "))
        .unwrap_or_default()
}

/// How a component behaves.
#[conf]
pub(crate) struct Behaviour {
    /// Where it writes down what happens.
    diary: Option<String>,
    /// Whether it fails.
    #[conf(default = false)]
    fails: bool,
    /// Whether it panics.
    #[conf(default = false)]
    panics: bool,
    /// Whether it needs another.
    #[conf(default = false)]
    needs: bool,
    /// Whether it never comes to its end.
    #[conf(default = false)]
    waits: bool,
}

/// Something that starts and stops.
struct Part {
    name: &'static str,
    diary: Option<String>,
}

impl Part {
    async fn start(name: &'static str, conf: Behaviour) -> Result<Self, BuildError> {
        if conf.waits {
            if conf.diary.as_deref() == Some("abandoned") {
                WAITING.notify_one();
            }
            pending::<()>().await;
        }
        assert!(!conf.panics, "nobody is at home");
        let part = Self { name, diary: conf.diary };
        if conf.fails {
            part.note('!');
            return Err(BuildError::new("", "the disk is full").with_help("make room"));
        }
        part.note('+');
        Ok(part)
    }

    fn note(&self, what: char) {
        if let Some(diary) = &self.diary {
            note(diary, format!("{what}{}", self.name));
        }
    }
}

/// Needs nothing.
#[component("tally")]
pub(crate) struct Tally(Part);

impl Tally {
    pub(crate) fn name(&self) -> &'static str {
        self.0.name
    }
}

impl Start for Tally {
    type Conf = Behaviour;

    async fn start(conf: Behaviour, starting: &mut Starting<'_>) -> Result<Self, BuildError> {
        if conf.needs {
            starting.component::<Archive>().await?;
        }
        Part::start("tally", conf).await.map(Self)
    }

    async fn stop(&self) {
        self.0.note('-');
    }
}

/// Needs the ledger, which comes after it by name.
#[component("archive")]
struct Archive(Part);

impl Start for Archive {
    type Conf = Behaviour;

    async fn start(conf: Behaviour, starting: &mut Starting<'_>) -> Result<Self, BuildError> {
        starting.component::<Ledger>().await?;
        Part::start("archive", conf).await.map(Self)
    }

    async fn stop(&self) {
        self.0.note('-');
    }
}

/// Needs the tally.
#[component("ledger")]
struct Ledger(Part);

impl Start for Ledger {
    type Conf = Behaviour;

    async fn start(conf: Behaviour, starting: &mut Starting<'_>) -> Result<Self, BuildError> {
        starting.component::<Tally>().await?;
        Part::start("ledger", conf).await.map(Self)
    }

    async fn stop(&self) {
        self.0.note('-');
    }
}

fn diary(name: &str, more: &str) -> String {
    format!(
        "components: {{ tally: {{ diary: {name} }}, archive: {{ diary: {name} }}, ledger: {{ diary: {name} }} }}\n{more}"
    )
}

#[tokio::test]
async fn they_start_in_the_order_they_need_each_other_and_stop_in_reverse() {
    let app = started(&diary("order", "")).await;
    assert_eq!(read("order"), "+tally +ledger +archive");
    app.stop().await;
    assert_eq!(read("order"), "+tally +ledger +archive -archive -ledger -tally");
}

#[tokio::test]
async fn what_was_started_is_stopped_again_when_one_fails() {
    let service = service(&diary("rollback", "")).conf("components: { ledger: { fails: true } }");
    insta::assert_snapshot!(refusal(service).await, @"
    component `ledger` (test-2.yaml:1:81) does not start: the disk is full
      help: make room
    ");
    assert_eq!(read("rollback"), "+tally !ledger -tally");
}

#[tokio::test]
async fn one_that_panics_is_one_that_fails() {
    let service = service(&diary("panic", "")).conf("components: { archive: { panics: true } }");
    let expected = "component `archive` (test-2.yaml:1:49) does not start: it panicked: nobody is at home\n  help: the log says where; return a `BuildError` for what can be wrong at a start";
    assert_eq!(refusal(service).await, expected);
    assert_eq!(read("panic"), "+tally +ledger -ledger -tally");
}

#[tokio::test(start_paused = true)]
async fn one_that_never_starts_is_given_up_and_named() {
    let service = service(&diary("late", "start: { deadline: 3s }")).conf("components: { ledger: { waits: true } }");
    insta::assert_snapshot!(refusal(service).await, @"
    component `ledger` (test-2.yaml:1:73) does not start: `start.deadline` (3s) is over, and it has not started
      help: find out what it waits for, or raise `start.deadline`
    ");
    assert_eq!(read("late"), "+tally -tally");
}

#[tokio::test]
async fn a_signal_while_one_starts_stops_those_that_were_started() {
    let _turn = SIGNALS.lock().await;
    let yaml = diary("abandoned", "protocols: { rest: { listen: 127.0.0.1:0 } }\nadmin: { listen: 127.0.0.1:0 }");
    let sets = ["chain.provider.default=[gate]", "components.archive.waits=true"].map(str::to_owned).to_vec();
    let sources = Sources { texts: vec![("test".to_owned(), yaml)], sets, ..Sources::default() };
    let prepared = App::new(Package { name: "it", version: "0.0.0" }).prepare(&sources).unwrap();
    let serving = tokio::spawn(prepared.serve());
    WAITING.notified().await;
    let sent = Command::new("sh").arg("-c").arg("kill -TERM $PPID").status().unwrap();
    assert!(sent.success());
    assert_eq!(serving.await.unwrap().unwrap(), Exit::Clean);
    assert_eq!(read("abandoned"), "+tally +ledger -ledger -tally");
}

#[tokio::test]
async fn those_that_need_each_other_in_a_circle_are_named() {
    let service = service(&diary("circle", "")).conf("components: { tally: { needs: true } }");
    insta::assert_snapshot!(refusal(service).await, @"
    component `tally` (test-2.yaml:1:22) does not start: components need each other in a circle: archive → ledger → tally → archive
      help: let one of them take the other later, or split what they share into a third
    ");
    assert_eq!(read("circle"), "");
}

/// Does not come up when told so.
#[schema("/moody")]
struct Moody {
    /// Its mood.
    #[conf(default = 1, range(1..=3))]
    mood: u8,
    tally: Component<Tally>,
}

#[operations]
impl Moody {
    /// Says its mood.
    #[get("/", public)]
    fn mood(&self) -> String {
        format!("{} {}", self.mood, self.tally.name())
    }
}

#[tokio::test]
async fn a_schema_is_made_with_its_components() {
    let app = started("schemas: { moody: { mood: 3 } }").await;
    assert_eq!(app.get("/moody").send().await.text(), "3 tally");
    insta::assert_snapshot!(refusal(service("schemas: { moody: { mood: 4 } }")).await, @"
    test-2.yaml:1:27: schemas.moody.mood: 4 is too large: at most 3
      1 | schemas: { moody: { mood: 4 } }
        |                           ^

    The configuration has 1 problem.
    ");
}
