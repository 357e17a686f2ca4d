//! A real Redis for tests, on a port of its own.

use std::env;
use std::io::{self, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Redis;
use crate::clock::Clock;
use crate::conf::source::InMemory;
use crate::conf::{BuildContext, BuildError, Process, Warnings};
use crate::metrics::{Labels, Measured};
use crate::random::Random;

/// How long a condition is waited for that has to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis that ends with the test.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
    options: Vec<String>,
}

impl Server {
    /// Starts one, if it is installed; where `CI` is set it has to be.
    pub(crate) async fn started() -> Option<Self> {
        Self::started_with(&[]).await
    }

    /// The same with further options.
    pub(crate) async fn started_with(options: &[&str]) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let options = options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>();
        let port = free_port();
        let Some(child) = run(port, &folder, &options) else {
            assert!(env::var_os("CI").is_none(), "redis-server is not installed, and CI skips nothing");
            // Past what the test harness keeps to itself.
            writeln!(io::stderr(), "skipped: redis-server is not installed").ok();
            return None;
        };
        let mut server = Self { child, folder, port, options };
        while !server.is_up().await {
            // Somebody else took the port meanwhile.
            server.port = free_port();
            server.child = run(server.port, &server.folder, &server.options).unwrap();
        }
        Some(server)
    }

    /// Waits until this server answers; whether it does, or has ended.
    async fn is_up(&mut self) -> bool {
        let (id, mut has_ended) = (format!("process_id:{}\r", self.child.id()), false);
        until(async || {
            has_ended = self.child.try_wait().unwrap().is_some();
            // One that wants a password says no more than that.
            let is_it = |said: &str| said.contains(&id) || said.contains("NOAUTH");
            has_ended || self.says("INFO server").await.as_deref().is_some_and(is_it)
        })
        .await;
        !has_ended
    }

    /// Ends it, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, with nothing in it.
    pub(crate) async fn start_again(&mut self) {
        self.child = run(self.port, &self.folder, &self.options).unwrap();
        assert!(self.is_up().await, "its port is taken");
    }

    /// What it says to a command without spaces in its words, as it is sent.
    pub(crate) async fn says(&self, command: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.strip_suffix("+OK\r\n").map(str::to_owned)
    }

    /// The keys it has.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let answer = self.says("KEYS *").await.unwrap();
        answer.lines().filter(|line| !line.starts_with(['*', '$'])).map(str::to_owned).collect()
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// One instance of a service that asks it; `conf` is what it says of Redis beside its address.
    pub(crate) fn instance(&self, conf: Value) -> Instance {
        Instance::new(joined(json!({ "url": self.url(), "timeout": "10s", "retry": "20ms" }), conf)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody uses now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(port: u16, folder: &TempDir, options: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
    command.arg(folder.path()).args(options).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    command.spawn().ok()
}

/// What is said in general, and more or otherwise for one test.
pub(crate) fn joined(mut whole: Value, more: Value) -> Value {
    if let (Value::Object(whole), Value::Object(more)) = (&mut whole, more) {
        whole.extend(more);
    }
    whole
}

/// Waits for something that has to come true soon: a real server has a real clock.
pub(crate) async fn until(mut is_true: impl AsyncFnMut() -> bool) {
    let (clock, begun) = (Clock::system(), Clock::system().now());
    while !is_true().await {
        assert!(clock.now() < begun + PATIENCE, "it has not come true within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One instance of a service: what its handlers are built in.
pub(crate) struct Instance {
    pub(crate) process: Process,
    random: Random,
    files: InMemory,
    warnings: Warnings,
}

impl Instance {
    /// One whose configuration says this of Redis.
    pub(crate) fn new(conf: Value) -> Result<Self, BuildError> {
        Self::with_files(conf, InMemory::default())
    }

    /// The same with files that it refers to.
    pub(crate) fn with_files(conf: Value, files: InMemory) -> Result<Self, BuildError> {
        let mut instance =
            Self { process: Process::default(), random: Random::system(), files, warnings: Warnings::default() };
        let conf = serde_json::from_value(conf).unwrap();
        instance.process.redis = Redis::build(&conf, "shop", &instance.context())?;
        Ok(instance)
    }

    pub(crate) fn context(&self) -> BuildContext<'_> {
        BuildContext {
            clock: Clock::system(),
            random: &self.random,
            scope: None,
            files: &self.files,
            warnings: &self.warnings,
            process: &self.process,
        }
    }

    /// The value of a series of this metric.
    pub(crate) fn measured(&self, name: &str, label: Option<&str>) -> f64 {
        let families = self.process.metrics.families();
        let family = families.iter().find(|family| family.spec.name == name).unwrap();
        let is_it = |labels: &Labels| label.is_none_or(|label| labels.values().any(|value| value == label));
        match family.series.iter().find(|one| is_it(&one.labels)).unwrap().measured {
            Measured::Number(number) => number,
            Measured::Buckets(_) => panic!("{name} is a histogram"),
        }
    }
}
