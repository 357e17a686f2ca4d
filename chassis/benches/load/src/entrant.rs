//! Who takes part: a server together with what it is asked.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifact::{Builder, Workspace};
use crate::chain;
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
pub(crate) const AXUM_TOKEN_GET: &str = "bare axum GET, same token";
pub(crate) const HYPER_POST: &str = "raw hyper POST 1 KiB";
pub(crate) const AXUM_POST: &str = "bare axum POST 1 KiB";
pub(crate) const CHASSIS_POST: &str = "chassis POST 1 KiB, empty chain";

const ALL: &[&str] =
    &[HYPER_GET, AXUM_GET, GREETER_GET, AXUM_TOKEN_GET, GREETER_FULL_GET, HYPER_POST, AXUM_POST, CHASSIS_POST];

/// Builds the entrants that the flags ask for, in the order of a round.
pub(crate) fn chosen(flags: &Flags, builder: &Builder) -> io::Result<Vec<Entrant>> {
    let is_chosen = |name: &&&str| flags.only.is_empty() || flags.only.iter().any(|part| name.contains(part.as_str()));
    let all = if flags.chain { chain::ALL } else { ALL };
    all.iter().filter(is_chosen).map(|name| entrant(name, builder)).collect()
}

/// The one whose start and memory are measured.
pub(crate) fn greeter(entrants: &[Entrant]) -> Option<&Entrant> {
    entrants.iter().find(|entrant| entrant.name == GREETER_GET)
}

fn entrant(name: &'static str, builder: &Builder) -> io::Result<Entrant> {
    let peer = |binary| peer(builder, binary);
    let (launch, exchange, refused) = match name {
        HYPER_GET => (peer("raw-hyper")?, Exchange::greeting(""), None),
        AXUM_GET => (peer("bare-axum")?, Exchange::greeting(""), None),
        GREETER_GET => (greeter_with(builder, "empty.yaml")?, Exchange::greeting(""), None),
        AXUM_TOKEN_GET => {
            let token = token(&greeter_with(builder, "full.yaml")?.program)?;
            (peer("bare-axum")?, Exchange::greeting(&bearer(&token)), None)
        }
        GREETER_FULL_GET => {
            let launch = greeter_with(builder, "full.yaml")?;
            let token = token(&launch.program)?;
            let (good, bad) = (bearer(&token), bearer(&format!("{token}A")));
            (launch, Exchange::greeting(&good), Some(Exchange::greeting(&bad)))
        }
        HYPER_POST => (peer("raw-hyper")?, Exchange::order(), None),
        AXUM_POST => (peer("bare-axum")?, Exchange::order(), None),
        CHASSIS_POST => {
            let program = builder.build(Workspace::Load, "echo", "echo", "")?;
            (service(program, "echo.yaml", builder.log("echo")?)?, Exchange::order(), None)
        }
        _ => return chain::entrant(name, builder),
    };
    Ok(Entrant { name, launch, exchange, refused })
}

/// A server that is compared with chassis.
pub(crate) fn peer(builder: &Builder, binary: &str) -> io::Result<Launch> {
    let program = builder.build(Workspace::Load, "peers", binary, "")?;
    launch(program, &["{address}"], builder.log(binary)?)
}

/// The field of a caller that proves who it is.
pub(crate) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

fn greeter_with(builder: &Builder, conf: &str) -> io::Result<Launch> {
    service(builder.build(Workspace::Chassis, "greeter", "greeter", "")?, conf, builder.log(conf)?)
}

/// A service built on chassis, with its configuration of this folder.
pub(crate) fn service(program: PathBuf, conf: &str, log: PathBuf) -> io::Result<Launch> {
    let conf = in_conf(conf)?;
    let listen = ["--set", "protocols.rest.listen={address}", "--set", "admin.listen={admin}"];
    launch(program, &[&["--conf", &conf], listen.as_slice()].concat(), log)
}

pub(crate) fn launch(program: PathBuf, arguments: &[&str], log: PathBuf) -> io::Result<Launch> {
    Ok(Launch { program, arguments: arguments.iter().map(OsString::from).collect(), log, collector: None })
}

/// The path of a file in the folder of configurations.
pub(crate) fn in_conf(file: &str) -> io::Result<String> {
    let path = conf_folder().join(file);
    path.to_str().map(str::to_owned).ok_or_else(|| io::Error::other("the path of this folder is not UTF-8"))
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
