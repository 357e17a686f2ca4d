//! `token`: a token for development, signed with the key that the `auth` handler verifies by.

use std::time::Duration;

use clap::Args;

use super::print::Printer;
use super::{App, Flags};
use crate::app::StartError;
use crate::conf::{BuildError, FileRef, Files, Interval};
use crate::handlers::auth::{Claims, mint};

/// What `token` takes.
#[derive(Args)]
pub(super) struct Options {
    /// Whom the token is for
    #[arg(long, value_name = "NAME", value_parser = subject)]
    sub: String,
    /// A scope it grants; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A role its subject has; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// How long it is good for: from 1s to 365d
    #[arg(allow_hyphen_values = true, long, value_name = "TIME", default_value = "1h", value_parser = lifetime)]
    lifetime: Interval,
}

/// Whoever checks tokens refuses one without a subject.
fn subject(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a token names somebody: write `--sub ada`".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// The longest a token may be good for: it cannot be taken back.
const LONGEST: Interval = Interval::hours(365 * 24);

fn lifetime(text: &str) -> Result<Interval, String> {
    let help = "write a time from `1s` to `365d`, such as `1h` or `30m`";
    let lifetime: Interval = text.parse().map_err(|error| format!("{error}; {help}"))?;
    match lifetime {
        none if none < Interval::secs(1) => Err(format!("such a token is never good: {help}")),
        long if long > LONGEST => Err(format!("a token cannot be taken back: {help}")),
        lifetime => Ok(lifetime),
    }
}

pub(super) fn run(app: App, flags: &Flags, options: &Options) -> Result<Printer, StartError> {
    let sources = flags.sources(app.package());
    let prepared = flags.prepare(app)?;
    let auth = prepared.conf.handler("auth").value();
    let said = |pointer: &str| auth.pointer(pointer).and_then(|value| value.as_str());
    let missing = |key: &str| {
        let error = BuildError::new("", format!("handlers.auth.{key} is not set, and a token must match it"));
        StartError::Asked(error.with_help("name the configuration of the service with `--conf FILE`, or set the key"))
    };
    let file = said("/jwt/keys/file").ok_or_else(|| missing("jwt.keys.file"))?;
    let claims = Claims {
        issuer: said("/jwt/issuer").ok_or_else(|| missing("jwt.issuer"))?.to_owned(),
        audience: said("/jwt/audience").or(said("/jwt/audience/0")).ok_or_else(|| missing("jwt.audience"))?.to_owned(),
        subject: options.sub.clone(),
        scopes: options.scopes.clone(),
        roles: options.roles.clone(),
        lifetime: Duration::from(options.lifetime),
    };
    let keys = sources.disk().read(&FileRef(file.into())).map_err(StartError::Asked)?;
    let token = mint(&keys, &claims, prepared.now());
    let named = |error: BuildError| BuildError { message: format!("{file}: {}", error.message), ..error };
    let token = token.map_err(|error| StartError::Asked(named(error)))?;
    let mut printer = Printer::new(flags);
    if printer.json {
        printer.document(&serde_json::json!({ "token": token }));
    } else {
        printer.line(token);
    }
    Ok(printer)
}
