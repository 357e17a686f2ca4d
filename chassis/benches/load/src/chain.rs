//! The chain of a service that is open to others, against bare axum and against what people put around axum today.
//!
//! Every request carries a token and the trace of a caller that is not recorded, unless a row says otherwise.

use std::io;
use std::process::Command;

use crate::artifact::{Builder, Workspace};
use crate::entrant::{AXUM_GET, AXUM_POST, Entrant, bearer, in_conf, launch, peer, service};
use crate::exchange::Exchange;
use crate::server::Launch;

pub(crate) const GET: &str = "greeter GET, default chain";
pub(crate) const POST: &str = "chassis POST 1 KiB, default chain";
pub(crate) const TOKENS_GET: &str = "greeter GET, default chain, 10000 tokens";
pub(crate) const TOKENS_POST: &str = "chassis POST 1 KiB, default chain, 10000 tokens";
pub(crate) const RECORDED_GET: &str = "greeter GET, default chain, recorded and exported";
pub(crate) const ES256_GET: &str = "greeter GET, default chain, ES256";
pub(crate) const AXUM_SAME_GET: &str = "bare axum GET, same request";
pub(crate) const AXUM_TOKENS_GET: &str = "bare axum GET, 10000 tokens";
pub(crate) const AXUM_SAME_POST: &str = "bare axum POST 1 KiB, same request";
pub(crate) const AXUM_TOKENS_POST: &str = "bare axum POST 1 KiB, 10000 tokens";
pub(crate) const USUAL_GET: &str = "usual axum GET, HS256";
pub(crate) const USUAL_ES256_GET: &str = "usual axum GET, ES256";

/// In the order of a round.
pub(crate) const ALL: &[&str] = &[
    AXUM_GET,
    AXUM_SAME_GET,
    GET,
    AXUM_TOKENS_GET,
    TOKENS_GET,
    RECORDED_GET,
    ES256_GET,
    USUAL_GET,
    USUAL_ES256_GET,
    AXUM_POST,
    AXUM_SAME_POST,
    POST,
    AXUM_TOKENS_POST,
    TOKENS_POST,
];

/// So many callers take turns in the rows of many tokens.
const MANY: usize = 10_000;

/// Where the caller stands in its trace; the last digit says that it is not recorded.
const TRACEPARENT: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\r\n";

/// How the tokens of a row are signed.
#[derive(Clone, Copy)]
enum Signed {
    Hs256,
    Es256,
}

/// Who answers.
enum Server {
    Axum,
    Usual,
    Greeter,
    Exporting,
    Echo,
}

/// Builds one of them.
pub(crate) fn entrant(name: &'static str, builder: &Builder) -> io::Result<Entrant> {
    let (server, exchange, count): (_, fn(&[String]) -> Exchange, _) = match name {
        AXUM_SAME_GET => (Server::Axum, Exchange::greetings, 1),
        AXUM_TOKENS_GET => (Server::Axum, Exchange::greetings, MANY),
        AXUM_SAME_POST => (Server::Axum, Exchange::orders, 1),
        AXUM_TOKENS_POST => (Server::Axum, Exchange::orders, MANY),
        USUAL_GET | USUAL_ES256_GET => (Server::Usual, Exchange::greetings, 1),
        RECORDED_GET => (Server::Exporting, Exchange::greetings, 1),
        TOKENS_GET => (Server::Greeter, Exchange::greetings, MANY),
        POST => (Server::Echo, Exchange::orders, 1),
        TOKENS_POST => (Server::Echo, Exchange::orders, MANY),
        _ => (Server::Greeter, Exchange::greetings, 1),
    };
    let signed = if matches!(name, ES256_GET | USUAL_ES256_GET) { Signed::Es256 } else { Signed::Hs256 };
    let headers = headers(builder, signed, count, name == RECORDED_GET)?;
    let forged = exchange(&[headers[0].replacen("\r\n", "A\r\n", 1)]);
    // Bare axum looks at no token.
    let refused = if matches!(server, Server::Axum) { None } else { Some(forged) };
    let log = builder.log(&name.replace([' ', ',', '[', ']'], "-"))?;
    let launch = match server {
        Server::Axum => peer(builder, "bare-axum")?,
        Server::Usual => {
            let program = builder.build(Workspace::Load, "usual", "usual-axum", "")?;
            launch(program, &["{address}", signed.name(), &signed.verifying()?], log)?
        }
        Server::Greeter => {
            let greeter = builder.build(Workspace::Chassis, "greeter", "greeter", "")?;
            with(service(greeter, "chain.yaml", log)?, &[("handlers.auth.jwt.keys.file", &signed.verifying()?)])
        }
        Server::Exporting => exporting(builder, log)?,
        Server::Echo => service(builder.build(Workspace::Load, "echo", "echo", "")?, "echo-chain.yaml", log)?,
    };
    Ok(Entrant { name, launch, exchange: exchange(&headers), refused })
}

/// The greeter that tells a collector of all calls.
fn exporting(builder: &Builder, log: std::path::PathBuf) -> io::Result<Launch> {
    let collector = builder.build(Workspace::Load, "peers", "collector", "")?;
    let greeter = builder.build(Workspace::Chassis, "greeter", "greeter", "full")?;
    let launch = service(greeter, "chain.yaml", log)?;
    let launch = with(launch, &[("telemetry.otlp.endpoint", "http://{collector}")]);
    Ok(Launch { collector: Some(collector), ..launch })
}

fn with(mut launch: Launch, values: &[(&str, &str)]) -> Launch {
    for (key, value) in values {
        launch.arguments.extend(["--set".into(), format!("{key}={value}").into()]);
    }
    launch
}

/// The header lines of so many callers, the token first.
fn headers(builder: &Builder, signed: Signed, count: usize, recorded: bool) -> io::Result<Vec<String>> {
    let mint = builder.build(Workspace::Load, "usual", "mint", "")?;
    let output = Command::new(mint).args([signed.name(), &signed.signing()?, &count.to_string()]).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("mint: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let trace = if recorded { TRACEPARENT.replace("-00\r", "-01\r") } else { TRACEPARENT.to_owned() };
    let tokens = String::from_utf8_lossy(&output.stdout);
    Ok(tokens.lines().map(|token| bearer(token) + &trace).collect())
}

impl Signed {
    fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
        }
    }

    /// The file of the key that signs.
    fn signing(self) -> io::Result<String> {
        in_conf(match self {
            Self::Hs256 => "../../../../conf/keys/development.jwks.json",
            Self::Es256 => "keys/es256.private.pem",
        })
    }

    /// The file of the key that verifies.
    fn verifying(self) -> io::Result<String> {
        match self {
            Self::Hs256 => self.signing(),
            Self::Es256 => in_conf("keys/es256.public.pem"),
        }
    }
}
