//! Who takes part: a server together with what it is asked.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::{Builder, Workspace};
use crate::exchange::Exchange;
use crate::flags::Flags;
use crate::server::Launch;

/// A server together with what it is asked.
pub(crate) struct Entrant {
    pub(crate) name: &'static str,
    pub(crate) launch: Launch,
    pub(crate) exchange: Exchange,
    /// What it must refuse before it is measured: proof that it does the work it claims to do.
    pub(crate) refused: Option<Exchange>,
}

pub(crate) const HYPER_GET: &str = "raw hyper GET";
pub(crate) const AXUM_GET: &str = "bare axum GET";
pub(crate) const GREETER_GET: &str = "greeter GET, empty chain";
pub(crate) const GREETER_FULL_GET: &str = "greeter GET, [tracing, rate-limit, auth]";
pub(crate) const HYPER_POST: &str = "raw hyper POST 1 KiB";
pub(crate) const AXUM_POST: &str = "bare axum POST 1 KiB";
pub(crate) const CHASSIS_POST: &str = "chassis POST 1 KiB, empty chain";

const ALL: &[&str] = &[HYPER_GET, AXUM_GET, GREETER_GET, GREETER_FULL_GET, HYPER_POST, AXUM_POST, CHASSIS_POST];

/// Builds the entrants that the flags ask for, in the order of a round.
pub(crate) fn chosen(flags: &Flags, builder: &Builder) -> io::Result<Vec<Entrant>> {
    let is_chosen = |name: &&&str| flags.only.is_empty() || flags.only.iter().any(|part| name.contains(part.as_str()));
    ALL.iter().filter(is_chosen).map(|name| entrant(name, builder)).collect()
}

/// The one whose start and memory are measured.
pub(crate) fn greeter(entrants: &[Entrant]) -> Option<&Entrant> {
    entrants.iter().find(|entrant| entrant.name == GREETER_GET)
}

fn entrant(name: &'static str, builder: &Builder) -> io::Result<Entrant> {
    let peer = |binary| {
        let program = builder.build(Workspace::Load, "peers", binary)?;
        launch(program, &["{address}"], builder.log(binary)?)
    };
    let (launch, exchange, refused) = match name {
        HYPER_GET => (peer("raw-hyper")?, Exchange::greeting(""), None),
        AXUM_GET => (peer("bare-axum")?, Exchange::greeting(""), None),
        GREETER_GET => (service(builder, Workspace::Chassis, "greeter", "empty.yaml")?, Exchange::greeting(""), None),
        GREETER_FULL_GET => {
            let launch = service(builder, Workspace::Chassis, "greeter", "full.yaml")?;
            let token = token(&launch.program)?;
            let (good, bad) = (bearer(&token), bearer(&format!("{token}A")));
            (launch, good, Some(bad))
        }
        HYPER_POST => (peer("raw-hyper")?, Exchange::order(), None),
        AXUM_POST => (peer("bare-axum")?, Exchange::order(), None),
        _ => (service(builder, Workspace::Load, "echo", "echo.yaml")?, Exchange::order(), None),
    };
    Ok(Entrant { name, launch, exchange, refused })
}

fn bearer(token: &str) -> Exchange {
    Exchange::greeting(&format!("authorization: Bearer {token}\r\n"))
}

/// A service built on chassis, with its configuration of this folder.
fn service(builder: &Builder, workspace: Workspace, package: &str, conf: &str) -> io::Result<Launch> {
    let program = builder.build(workspace, package, package)?;
    let log = builder.log(conf)?;
    let conf = conf_folder().join(conf);
    let conf = conf.to_str().ok_or_else(|| io::Error::other("the path of this folder is not UTF-8"))?;
    let listen = ["--set", "protocols.rest.listen={address}", "--set", "admin.listen={admin}"];
    launch(program, &[&["--conf", conf], listen.as_slice()].concat(), log)
}

fn launch(program: PathBuf, arguments: &[&str], log: PathBuf) -> io::Result<Launch> {
    Ok(Launch { program, arguments: arguments.iter().map(OsString::from).collect(), log })
}

/// A token that the configuration of the full chain accepts.
fn token(greeter: &Path) -> io::Result<String> {
    let output = Command::new(greeter)
        .args(["token", "--sub", "ada", "--scope", "greetings:write"])
        .arg("--conf")
        .arg(conf_folder().join("full.yaml"))
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("greeter token: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn conf_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conf")
}
