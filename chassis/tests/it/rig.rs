//! What the tests here are made of: a handler that enforces access, and operations made by hand.

use std::sync::Arc;

use chassis::app::App;
use chassis::cli::Package;
use chassis::conf::Sources;
use chassis::operation::{Access, Operation};
use chassis::prelude::*;
use chassis::schema::{Endpoint, Mounted};
use chassis::testing::{TestApp, TestAppBuilder};

/// Enforces access as far as these tests need it: whoever proved who it is may do everything.
#[handler("gate", provides("principal", "access"))]
struct Gate;

impl Configure for Gate {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Gate {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        let open = invocation.operation().is_none_or(|operation| operation.access == Access::Public);
        match open || invocation.call.principal.is_some() {
            true => Verdict::Continue,
            false => Fault::new(Code::Unauthenticated, "Who are you?").into(),
        }
    }
}

/// A service with `gate` in its chains, and what this YAML says.
pub(crate) fn service(yaml: &str) -> TestAppBuilder {
    TestApp::builder("it").conf("chain: { provider: { default: [gate] } }").conf(yaml)
}

/// The same, started.
pub(crate) async fn started(yaml: &str) -> TestApp {
    service(yaml).start().await.expect("this service starts")
}

/// Why a service does not start.
pub(crate) async fn refusal(builder: TestAppBuilder) -> String {
    match builder.start().await {
        Ok(_) => panic!("this service must not start"),
        Err(error) => error.to_string(),
    }
}

/// What is warned of when a service with this configuration is checked.
pub(crate) fn warned(yaml: &str) -> Vec<String> {
    let sources = Sources { texts: vec![("test".to_owned(), yaml.to_owned())], ..Sources::default() };
    let app = App::new(Package { name: "it", version: "0.0.0" });
    app.mount_operations([saying("hand.said", "/said", "said")]).prepare(&sources).unwrap().warnings()
}

/// A public operation `schema.name` that answers what `answer` says.
pub(crate) fn answering<F>(id: &str, method: &'static str, template: &str, answer: F) -> Mounted
where
    F: Fn(&Invocation) -> Reply + Send + Sync + 'static,
{
    let (schema, name) = id.split_once('.').expect("an id has two parts");
    let operation = Operation::new(schema.to_owned(), name, method, template).with_access(Access::Public);
    Mounted { operation, endpoint: Arc::new(Answers(answer)) }
}

/// A public operation that answers GET with this text.
pub(crate) fn saying(id: &str, template: &str, text: &'static str) -> Mounted {
    answering(id, "GET", template, move |_| Reply::new(text))
}

struct Answers<F>(F);

impl<F: Fn(&Invocation) -> Reply + Send + Sync + 'static> Endpoint for Answers<F> {
    fn call<'a>(&'a self, invocation: &'a mut Invocation) -> BoxFuture<'a, Reply> {
        Box::pin(async move { (self.0)(invocation) })
    }
}

/// A signal reaches the whole process: whoever sends one or serves until one comes takes turns.
pub(crate) static SIGNALS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
