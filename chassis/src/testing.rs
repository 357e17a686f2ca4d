//! The kit for tests of services: a whole service in this process, without sockets.
//!
//! ```ignore
//! let app = TestApp::builder("greeter").conf("chain: { provider: { default: [auth] } }").start().await?;
//! let answer = app.get("/greetings/ada").principal(principal("ada").scopes(["greetings:write"])).send().await;
//! assert_eq!(answer.status(), 200);
//! ```
//!
//! Calls take the same way as those from a socket: the same checks of their heads, the same limits of their listener on
//! bodies, header fields and targets, the same matching, the same chain, the same problem documents. What needs bytes
//! on a socket is not tried: malformed heads, `max-header-bytes`, and whatever takes too long to arrive.
//! Under `#[tokio::test(start_paused = true)]` time stands still until [`TestApp::advance`].

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::app::{App, Running, StartError};
use crate::cli::Package;
use crate::clock::Clock;
use crate::conf::source::Sources;
use crate::metrics::Metrics;
use crate::principal::{Identity, Principal};
use crate::random::Random;
use crate::schema::{Mounted, Schema};

mod call;
mod door;
mod spy;

pub use call::{Answer, Call};
pub use spy::Spy;

/// A service in this process.
pub struct TestApp {
    running: Running,
    doors: door::Doors,
    spies: spy::Spies,
}

/// What a [`TestApp`] is made of.
pub struct TestAppBuilder {
    app: App,
    sources: Sources,
    spies: spy::Spies,
}

impl TestApp {
    /// The service of this name, with the schemas, handlers and components that are linked into the test.
    pub fn builder(service: &'static str) -> TestAppBuilder {
        let spies = spy::Spies::default();
        let clock = Clock::anchored(Clock::system().wall());
        let app =
            App::new(Package { name: service, version: "0.0.0" }).with_clock(clock).with_random(Random::seeded(1));
        TestAppBuilder { app: app.with_around(spies.around()), sources: Sources::default(), spies }
    }

    /// A call to be made.
    pub fn call(&self, method: &str, target: &str) -> Call {
        Call::new(self.running.provider().clone(), self.doors.clone(), method, target)
    }

    /// A `GET` to be made.
    pub fn get(&self, target: &str) -> Call {
        self.call("GET", target)
    }

    /// A `POST` to be made.
    pub fn post(&self, target: &str) -> Call {
        self.call("POST", target)
    }

    /// A `PUT` to be made.
    pub fn put(&self, target: &str) -> Call {
        self.call("PUT", target)
    }

    /// A `DELETE` to be made.
    pub fn delete(&self, target: &str) -> Call {
        self.call("DELETE", target)
    }

    /// What a handler saw and decided, in all its places, since the start.
    pub fn spy(&self, handler: &str) -> Spy {
        self.spies.of(handler)
    }

    /// What the service measured since the start.
    pub fn metrics(&self) -> &Metrics {
        self.running.provider().metrics()
    }

    /// The service, for what no method of its own does here.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Lets time pass; the test's clock must be paused.
    pub async fn advance(&self, time: Duration) {
        tokio::time::advance(time).await;
    }

    /// Stops the components.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

impl TestAppBuilder {
    /// Reads this YAML, after what was added before it.
    #[must_use]
    pub fn conf(mut self, yaml: &str) -> Self {
        let name = format!("test-{}.yaml", self.sources.texts.len() + 1);
        self.sources.texts.push((name, yaml.to_owned()));
        self
    }

    /// Reads this file or folder, relative to the working directory of the test.
    #[must_use]
    pub fn conf_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.files.push(path.into());
        self
    }

    /// Sets one value, such as `handlers.rate-limit.rate=5/s`.
    #[must_use]
    pub fn set(mut self, value: &str) -> Self {
        self.sources.sets.push(value.to_owned());
        self
    }

    /// Adds a schema that is not linked in, or an instance of one in place of the linked one.
    #[must_use]
    pub fn mount<S: Schema>(mut self, schema: S) -> Self {
        self.app = self.app.mount(schema);
        self
    }

    /// Adds operations made by hand, such as those of [`mount_router`](crate::app::mount_router).
    #[must_use]
    pub fn mount_operations(mut self, operations: impl IntoIterator<Item = Mounted>) -> Self {
        self.app = self.app.mount_operations(operations);
        self
    }

    /// Announces a schema that the test mounts later.
    #[must_use]
    pub fn expect_mounted(mut self, schema: &'static str) -> Self {
        self.app = self.app.expect_mounted(schema);
        self
    }

    /// The same for one of which the YAML says a `C`.
    #[must_use]
    pub fn expect_mounted_with<C: DeserializeOwned + JsonSchema>(mut self, schema: &'static str) -> Self {
        self.app = self.app.expect_mounted_with::<C>(schema);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// What a service would say that does not start.
    pub async fn start(self) -> Result<TestApp, StartError> {
        let prepared = self.app.prepare(&self.sources)?;
        let doors = door::Doors::of(&prepared)?;
        Ok(TestApp { running: prepared.start().await?, doors, spies: self.spies })
    }
}

/// A caller to be forged, with [`Call::principal`].
pub fn principal(subject: &str) -> Forged {
    Forged(Identity { subject: subject.to_owned(), scheme: "test".to_owned(), ..Identity::default() })
}

/// A caller that proved nothing.
#[derive(Clone, Debug)]
pub struct Forged(Identity);

impl Forged {
    /// Grants it these scopes.
    #[must_use]
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.scopes.extend(scopes.into_iter().map(str::to_owned));
        self
    }

    /// Gives it these roles.
    #[must_use]
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.roles.extend(roles.into_iter().map(str::to_owned));
        self
    }
}

impl From<Forged> for Principal {
    fn from(forged: Forged) -> Self {
        Self::new(forged.0)
    }
}
