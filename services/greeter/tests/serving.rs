//! The whole program over sockets: what the README promises, and how it ends.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what cannot be set up has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A greeter that serves.
struct Served {
    child: Child,
    address: String,
    admin: String,
    /// What its configuration is called.
    revision: String,
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_greeter");

/// The program, with nothing of the environment and the configuration that ships.
fn greeter(arguments: &[&str]) -> Command {
    command(PROGRAM, arguments)
}

/// The same, where a shell has set limits first.
#[cfg(unix)]
fn limited(limits: &str, arguments: &[&str]) -> Command {
    let script = format!("{limits}; exec \"$0\" \"$@\"");
    command("sh", &[&["-c", &script, PROGRAM], arguments].concat())
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(arguments);
    command
}

/// What each is told: to take whatever ports are free, and to leave at once.
const PORTS: [&str; 3] = ["protocols.rest.listen=127.0.0.1:0", "admin.listen=127.0.0.1:0", "drain.delay=0s"];

impl Served {
    /// Starts it, and reads what it says until it is ready.
    fn start(settings: &[&str]) -> Self {
        Self::start_as(greeter, settings)
    }

    fn start_as(program: impl Fn(&[&str]) -> Command, settings: &[&str]) -> Self {
        let sets = PORTS.iter().chain(settings).flat_map(|set| ["--set", set]).collect::<Vec<_>>();
        let mut child = program(&sets).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut served = Self { child, address: String::new(), admin: String::new(), revision: String::new() };
        loop {
            let line = lines.next().expect("it ended before it was ready").unwrap();
            let line: Value = serde_json::from_str(&line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            match (text("message").as_str(), text("listener").as_str()) {
                ("starting", _) => {
                    assert_eq!((text("schemas").as_str(), line["operations"].as_u64()), ("greeting", Some(4)));
                    served.revision = text("revision");
                }
                ("listening", "rest") => {
                    served.address = text("address");
                    assert_eq!(text("url"), format!("http://{}", served.address));
                }
                ("listening", "admin") => served.admin = text("address"),
                ("ready", _) => break,
                _ => {}
            }
        }
        // What it says later is read too, so that it never waits for a reader.
        std::thread::spawn(move || lines.count());
        served
    }

    /// Status and whole answer of a call.
    fn call(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
        call(&self.address, method, path, token, body)
    }

    /// How many threads it has.
    #[cfg(target_os = "linux")]
    fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().count()
    }

    /// Sends it a signal, and waits for its exit code.
    #[cfg(unix)]
    fn ended_by(mut self, signal: &str) -> Option<i32> {
        self::signal(&self.child, signal);
        self.child.wait().unwrap().code()
    }
}

/// Sends a process a signal.
#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already where a signal ended it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn call(address: &str, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let head = format!("{method} {path} HTTP/1.1\r\nhost: greeter\r\nconnection: close\r\n{token}");
    write!(stream, "{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer["HTTP/1.1 ".len()..][..3].parse().unwrap(), answer)
}

fn token(arguments: &[&str]) -> String {
    let output = greeter(&[&["token", "--sub", "ada"], arguments].concat()).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_configuration_that_refused_a_call_can_be_found() {
    let served = Served::start(&[]);
    let (_, refused) = served.call("GET", "/greetings/mallory", None, "");
    let (_, document) = refused.split_once("\r\n\r\n").unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    let revision = document["revision"].as_str().unwrap();
    assert_eq!(served.revision, revision);
    let page = |path: &str| call(&served.admin, "GET", path, None, "").1;
    assert!(page("/conf").contains(&format!("\r\n\r\n# revision {revision}\n")), "{}", page("/conf"));
    assert!(page("/metrics").contains(&format!("chassis_conf_info{{revision=\"{revision}\"}} 1")));
    let folder = tempfile::tempdir().unwrap();
    let defaults = folder.path().join("defaults.yaml");
    std::fs::write(&defaults, "# What holds anyway.\nservice: { name: greeter }\n").unwrap();
    // Whoever says it, and in whatever lines.
    for further in [None, Some(&defaults)] {
        let mut check = greeter(&["check", "--conf", "conf/greeter.yaml"]);
        check.args(PORTS.iter().flat_map(|set| ["--set", set]));
        further.map(|further| check.arg("--conf").arg(further));
        let checked = String::from_utf8(check.output().unwrap().stdout).unwrap();
        assert!(checked.contains(&format!("; revision {revision}; ")), "{checked}");
    }
}

#[test]
fn calls_are_answered_as_the_readme_says() {
    let served = Served::start(&[]);
    let (status, hello) = served.call("GET", "/greetings/ada", None, "");
    assert_eq!((status, hello.ends_with("\r\n\r\n{\"message\":\"Hello, ada!\"}")), (200, true), "{hello}");
    let (status, unknown) = served.call("GET", "/greetings", None, "");
    assert_eq!((status, unknown.contains("\r\nwww-authenticate: Bearer ")), (401, true), "{unknown}");

    let writer = token(&["--scope", "greetings:write"]);
    let (status, created) = served.call("POST", "/greetings", Some(&writer), r#"{"name":"bob"}"#);
    assert_eq!((status, created.contains("\r\nlocation: /greetings/bob\r\n")), (201, true), "{created}");
    let (status, listed) = served.call("GET", "/greetings", Some(&writer), "");
    assert_eq!((status, listed.ends_with(r#"{"names":["bob"]}"#)), (200, true), "{listed}");
    let (status, forbidden) = served.call("DELETE", "/greetings/bob", Some(&writer), "");
    assert_eq!((status, forbidden.contains(r#""code":"permission-denied""#)), (403, true), "{forbidden}");
    assert_eq!(served.call("DELETE", "/greetings/bob", Some(&token(&["--role", "admin"])), "").0, 204);

    assert_eq!(served.call("GET", "/nowhere", None, "").0, 404);
    assert_eq!(served.call("PUT", "/greetings", None, "").0, 405);
    let (status, head) = served.call("HEAD", "/greetings/ada", None, "");
    assert_eq!((status, head.ends_with("\r\n\r\n")), (200, true), "{head}");
    assert!(head.contains("\r\ncontent-length: 25\r\n"), "{head}");
    assert_eq!(call(&served.admin, "GET", "/readyz", None, "").0, 200);
}

#[test]
fn calls_beyond_the_limit_are_told_when_to_come_back() {
    let served = Served::start(&["handlers.rate-limit={ rate: 1/h, burst: 1 }"]);
    assert_eq!(served.call("GET", "/greetings/ada", None, "").0, 200);
    let (status, limited) = served.call("GET", "/greetings/ada", None, "");
    assert_eq!((status, limited.contains("\r\nretry-after: ")), (429, true), "{limited}");
}

/// What Prometheus' own tool objects to in this text; nothing where it is not installed.
fn objections(text: &str) -> Option<String> {
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut promtool) = tool.spawn() else {
        assert!(std::env::var_os("CI").is_none(), "promtool is not installed, and CI skips nothing");
        // Past what the test harness keeps to itself.
        writeln!(std::io::stderr(), "skipped: there is no `promtool` here (Debian has it in `prometheus`)").ok();
        return None;
    };
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    Some(if output.status.success() { said } else { format!("{}\n{said}", output.status) })
}

#[test]
fn prometheus_finds_nothing_to_object_to_in_what_it_measures() {
    let served = Served::start(&["handlers.rate-limit={ rate: 1/h, burst: 3 }", "handlers.metrics.self-time=100%"]);
    for (method, path) in [("GET", "/greetings/ada"), ("GET", "/greetings"), ("PUT", "/greetings"), ("GET", "/nowhere")]
    {
        served.call(method, path, None, "");
    }
    let (status, answer) = call(&served.admin, "GET", "/metrics", None, "");
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    assert!(status == 200 && head.contains("content-length: "), "{head}");
    for measured in [
        "http_server_request_duration_seconds_bucket{",
        "chassis_request_rejected_total{handler=\"auth\"",
        "process_uptime_seconds",
    ] {
        assert!(text.contains(measured), "{measured} in {text}");
    }
    assert!(objections(text).is_none_or(|said| said.is_empty()), "{:?}\n{text}", objections(text));
}

#[cfg(target_os = "linux")]
#[test]
fn it_works_with_as_many_threads_as_it_is_told() {
    let threads = |workers: &str| Served::start(&[&format!("runtime.workers={workers}")]).threads();
    assert_eq!(threads("7") - threads("2"), 5);
}

/// How many file descriptors the process may have, and could let itself have.
#[cfg(target_os = "linux")]
fn descriptors(child: &Child) -> String {
    let limits = std::fs::File::open(format!("/proc/{}/limits", child.id())).unwrap();
    let mut lines = BufReader::new(limits).lines().map(Result::unwrap);
    let line = lines.find_map(|line| Some(line.strip_prefix("Max open files")?.to_owned())).unwrap();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" of ")
}

#[cfg(target_os = "linux")]
#[test]
fn it_takes_as_many_descriptors_as_it_is_let() {
    let served = Served::start_as(|arguments| limited("ulimit -Sn 100; ulimit -Hn 200", arguments), &[]);
    assert_eq!(descriptors(&served.child), "200 of 200");
}

#[cfg(unix)]
#[test]
fn callers_that_hold_on_to_connections_keep_nobody_out() {
    let served = Served::start_as(|arguments| limited("ulimit -n 80", arguments), &[]);
    let held: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(&served.address).unwrap();
            write!(stream, "GET /greetings/ada HTTP/1.1\r\nhost: greeter\r\n\r\n").unwrap();
            stream
        })
        .collect();
    for probe in ["/livez", "/readyz"] {
        assert_eq!(call(&served.admin, "GET", probe, None, "").0, 200, "{probe}");
    }
    // Those before it are answered, and make room.
    assert_eq!(served.call("GET", "/greetings/bob", None, "").0, 200);
    drop(held);
}

#[cfg(unix)]
#[test]
fn it_ends_well_when_it_is_told_to() {
    for signal in ["TERM", "INT", "QUIT"] {
        assert_eq!(Served::start(&[]).ended_by(signal), Some(0), "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_terminal_that_closes_does_not_end_it() {
    let served = Served::start(&[]);
    signal(&served.child, "HUP");
    assert_eq!(served.call("GET", "/greetings/ada", None, "").0, 200);
    assert_eq!(served.ended_by("TERM"), Some(0));
}

/// Whether the process handles SIGTERM (15) itself.
#[cfg(target_os = "linux")]
fn handles_sigterm(child: &Child) -> bool {
    let status = std::fs::File::open(format!("/proc/{}/status", child.id())).unwrap();
    let mut lines = BufReader::new(status).lines().map(Result::unwrap);
    let caught = lines.find_map(|line| Some(line.strip_prefix("SigCgt:")?.trim().to_owned())).unwrap();
    u64::from_str_radix(&caught, 16).unwrap() & (1 << 14) != 0
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_comes_while_the_configuration_is_read_is_heard() {
    // Nobody ever writes the end of this file.
    let mut child = greeter(&["--conf", "/dev/stdin"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let heard = (0..1_000_000).any(|_| handles_sigterm(&child));
    signal(&child, "TERM");
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((heard, output.status.code()), (true, Some(0)), "{said}");
    assert!(said.contains("told to end before the configuration was read"), "{said}");
}

/// The lines that it writes for people until it is ready.
fn told(settings: &[&str]) -> Vec<String> {
    let ports = ["protocols.rest.listen=127.0.0.1:0", "admin.listen=127.0.0.1:0", "log.format=text"];
    let sets = ports.iter().chain(settings).flat_map(|set| ["--set", set]).collect::<Vec<_>>();
    let mut child = greeter(&sets).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let lines = lines.take_while(|line| !line.ends_with(" ready")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    lines
}

#[test]
fn a_start_is_told_of_the_service_that_is_configured() {
    let lines = told(&["service.name=shop", "service.version=7"]);
    let starting = lines.iter().find(|line| line.contains(" starting ")).unwrap();
    assert!(starting.contains(r#" service="shop" version="7" "#), "{starting}");
}

#[test]
fn the_worst_case_of_memory_is_told_once_and_in_quotes() {
    let lines = told(&[]);
    let (_, said) = lines.iter().find_map(|line| line.split_once(" memory: worst case total=\"")).unwrap();
    let (total, parts) = said.split_once(r#" MiB" parts=""#).unwrap();
    assert!(total.parse::<u32>().is_ok() && parts.starts_with("auth ") && parts.ends_with('"'), "{said}");
    assert!(!parts.contains("worst case"), "{said}");
}

#[test]
fn why_it_does_not_start_is_one_line_of_the_log_too() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("admin.listen={}", taken.local_addr().unwrap());
    for (set, expected) in [("tiemout=1s", "tiemout: this key is not known"), (&taken, "listener `admin` (")] {
        let output = greeter(&["--set", "protocols.rest.listen=127.0.0.1:0", "--set", set]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let entries = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let errors: Vec<_> = entries.filter(|entry| entry["level"] == "ERROR").collect();
        assert!(errors.len() == 1 && errors[0]["message"] == "the service does not start", "{said}");
        assert!(errors[0]["error"].as_str().unwrap().contains(expected), "{said}");
    }
}

#[test]
fn every_address_in_use_is_said() {
    let taken = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [rest, admin] = [0, 1].map(|at| taken[at].local_addr().unwrap());
    let (rest, admin) = (format!("protocols.rest.listen={rest}"), format!("admin.listen={admin}"));
    let output = greeter(&["--set", &rest, "--set", &admin]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("protocol `rest` (") && error.contains("listener `admin` ("), "{error}");
}

#[test]
fn an_address_in_use_ends_it_with_1_and_names_the_listener() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (key, listener) in [("protocols.rest.listen", "rest"), ("admin.listen", "admin")] {
        let ports = ["--set", "protocols.rest.listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0"];
        let taken = format!("{key}={address}");
        let output = greeter(&[&ports[..], &["--set", &taken]].concat()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains(&format!(" `{listener}` (--set {key}) does not start: ")), "{error}");
        assert!(error.contains(&format!("`listen`: `{address}` cannot be taken: ")), "{error}");
    }
}
