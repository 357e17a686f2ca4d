//! `explain`: what would happen to a call, step by step, without making it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use clap::Args;
use http::{HeaderName, HeaderValue, Request};
use serde::Serialize;
use serde_json::Value;

use super::print::{Printer, Style};
use super::{App, Flags};
use crate::app::{Planned, Prepared, StartError, section};
use crate::chain::Step;
use crate::conf::Section;
use crate::conf::origin::Origin;
use crate::conf::path::KeyPath;
use crate::conf::source::Disk;
use crate::conf::suggest;
use crate::conf::tree::Node;
use crate::conf::{BuildError, FileRef, Files};
use crate::invocation::{Invocation, Peer, Tls};
use crate::operation::Operation;
use crate::provider::Way;
use crate::wire::tls::certificate;
use crate::wire::{Flaw, check};

mod verdict;

use verdict::verdict;

/// What `explain` takes.
#[derive(Args)]
pub(super) struct Options {
    /// The method of the call, such as GET
    method: String,
    /// The path of the call, with its query
    path: String,
    /// A header field of the call, such as 'Authorization: Bearer …'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The address the call comes from, or `unix` for a Unix socket
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", value_parser = peer)]
    peer: Peer,
    /// A file with the certificate that the caller shows, in PEM; it is taken to be verified
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The listener the call arrives at
    #[arg(long, value_name = "NAME", default_value = "rest")]
    listener: String,
}

pub(super) fn run(app: App, flags: &Flags, options: &Options) -> Result<Printer, StartError> {
    let prepared = flags.prepare(app)?;
    let request = options.request().map_err(StartError::Asked)?;
    let tls = options.tls(&Disk::default()).map_err(StartError::Asked)?;
    // Some handlers ask the runtime for its timers; none is waited for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| super::broken("the runtime", &error))?;
    let _entered = runtime.enter();
    let explanation = explain(&prepared, options, (request, tls))?;
    let mut printer = Printer::new(flags);
    if printer.json {
        printer.document(&explanation);
    } else {
        explanation.print(&mut printer);
    }
    Ok(printer)
}

/// Where a call comes from, as it is said on the command line.
fn peer(text: &str) -> Result<Peer, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Peer::Ip((address, 49152).into())),
        Err(_) if text == "unix" => Ok(Peer::Unix),
        Err(_) => Err("write an address such as 192.0.2.7 or 2001:db8::1, or `unix`".to_owned()),
    }
}

impl Options {
    fn request(&self) -> Result<Request<Body>, BuildError> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for field in &self.headers {
            let (name, value) = field.split_once(':').ok_or_else(|| {
                BuildError::new("", format!("`{field}` is no header field")).with_help("write `-H 'Name: value'`")
            })?;
            let name = HeaderName::try_from(name.trim());
            let value = HeaderValue::try_from(value.trim());
            let (Ok(name), Ok(value)) = (name, value) else {
                let error = BuildError::new("", format!("`{field}` has characters a header field cannot have"));
                return Err(error.with_help("a name has letters, digits and hyphens, a value no line ends"));
            };
            request = request.header(name, value);
        }
        let wrong = |error| {
            BuildError::new("", format!("`{} {}` is no call: {error}", self.method, self.path)).with_help(
                "write a method and a path that begins with `/`, such as `GET '/greetings/ada?a=b'`, with %20 for a space",
            )
        };
        request.body(Body::empty()).map_err(wrong)
    }

    /// What the connection of the caller proves.
    fn tls(&self, files: &dyn Files) -> Result<Option<Tls>, BuildError> {
        let Some(path) = &self.certificate else { return Ok(None) };
        let certificate = certificate(&files.read(&FileRef(path.clone()))?)?;
        Ok(Some(Tls { certificate: Some(certificate) }))
    }
}

/// What would happen to a call.
#[derive(Serialize)]
struct Explanation {
    operation: Option<String>,
    template: Option<String>,
    parameters: Vec<(String, String)>,
    access: Option<String>,
    chain: String,
    /// What a preflight passes of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    preflight: Option<&'static str>,
    steps: Vec<Explained>,
    outcome: String,
}

/// What one handler would do.
#[derive(Serialize)]
struct Explained {
    handler: String,
    /// Whether the call would come this far.
    reached: bool,
    verdict: String,
    refuses: bool,
    conf: Vec<Setting>,
}

/// A value that a handler is configured with.
#[derive(Serialize)]
struct Setting {
    key: String,
    value: Value,
    origin: String,
    /// Whether nobody wrote it.
    #[serde(skip)]
    default: bool,
}

fn explain(
    prepared: &Prepared,
    options: &Options,
    (request, tls): (Request<Body>, Option<Tls>),
) -> Result<Explanation, StartError> {
    let provider = prepared.rehearsal();
    let Some(entry) = provider.entry(&options.listener) else {
        let known = prepared.listeners.iter().map(String::as_str);
        let error = BuildError::new("", format!("there is no listener `{}`", options.listener));
        return Err(StartError::Asked(error.with_help(suggest::among(&options.listener, known, "the listeners are"))));
    };
    let mut connection = entry.connect(options.peer);
    if let Some(tls) = tls {
        connection.secured(Arc::new(tls));
    }
    let listener = prepared.listeners()?.into_iter().find(|(name, _)| *name == options.listener);
    let oversized = listener.and_then(|(_, listener)| listener.oversized(&request));
    let malformed = || check::flaw(request.method(), request.uri()).map(|Flaw { code, detail }| (code, detail));
    let mut admitted = match oversized.or_else(malformed) {
        Some((code, detail)) => connection.admit_refused(request, code, detail),
        None => connection.admit(request),
    };
    let (planned, chain) = prepared.passed(&admitted);
    let (mut stopped, mut steps) = (None, Vec::new());
    let operation = admitted.target.is_some().then_some(&planned.operation);
    let mut pass = |passed: &[Step], operation: Option<&Operation>, invocation: &mut Invocation| {
        steps.extend(passed.iter().map(|step| {
            let reached = stopped.is_none();
            let (verdict, refuses) = verdict(step, invocation);
            if refuses && reached {
                stopped = Some(format!("{} {verdict}", step.name));
            }
            let conf = settings(&section(&prepared.conf, &step.name, operation));
            Explained { handler: step.name.to_string(), reached, verdict, refuses, conf }
        }));
        stopped.is_none()
    };
    let goes_on = pass(&chain.steps, operation, &mut admitted.invocation);
    if goes_on && let Some(rest) = admitted.rest().cloned() {
        let target = admitted.invocation.call.lead(None);
        pass(&rest.steps, None, &mut admitted.invocation);
        admitted.invocation.call.lead(target);
    }
    let matched = admitted.target.is_some();
    let called = matched && admitted.way == Way::Whole;
    let end = || if called { format!("{} is called", planned.operation.id) } else { admitted.outcome() };
    let outcome = stopped.unwrap_or_else(end);
    Ok(Explanation {
        steps,
        outcome,
        preflight: note(admitted.way),
        ..Explanation::of(planned, &admitted.invocation, matched)
    })
}

/// What a preflight passes of a chain, in words.
fn note(way: Way) -> Option<&'static str> {
    match way {
        Way::Whole => None,
        Way::Preflight => Some("a preflight passes it as far as the last handler that answers preflights"),
        Way::Ungranted => {
            Some("a preflight about an operation whose chain answers none passes it without those that would")
        }
    }
}

impl Explanation {
    fn of(planned: &Planned, invocation: &Invocation, matched: bool) -> Self {
        let operation = matched.then_some(&planned.operation);
        let names = operation.map(|operation| operation.parameters.as_slice()).unwrap_or_default();
        let value = |name: &str| invocation.param(name).unwrap_or_default().into_owned();
        Self {
            operation: operation.map(|operation| operation.id.clone()),
            template: operation.map(|operation| format!("{} {}", operation.method, operation.template)),
            parameters: names.iter().map(|name| (name.to_string(), value(name))).collect(),
            access: operation.map(|operation| operation.access.to_string()),
            chain: planned.chain.name.to_string(),
            preflight: None,
            steps: Vec::new(),
            outcome: String::new(),
        }
    }

    fn print(&self, printer: &mut Printer) {
        match (&self.operation, &self.template) {
            (Some(operation), Some(template)) => {
                printer.write(Style::Strong, operation);
                printer.line(format_args!("  {template}  {}", self.access.as_deref().unwrap_or_default()));
            }
            _ => printer.line("no operation matches"),
        }
        for (name, value) in &self.parameters {
            printer.line(format_args!("  {name} = {value}"));
        }
        match self.preflight {
            Some(note) => printer.line(format_args!("chain {}: {note}", self.chain)),
            None => printer.line(format_args!("chain {}", self.chain)),
        }
        for (at, step) in self.steps.iter().enumerate() {
            step.print(at + 1, printer);
        }
        printer.line(format_args!("→ {}", self.outcome));
    }
}

impl Explained {
    fn print(&self, number: usize, printer: &mut Printer) {
        printer.line("");
        printer.write(Style::Strong, format_args!("{number}. {}", self.handler));
        printer.write(if self.refuses { Style::Bad } else { Style::Good }, format_args!("  {}", self.verdict));
        printer.line(if self.reached { "" } else { "  (not reached)" });
        for Setting { key, value, origin, default } in &self.conf {
            let style = if *default { Style::Faint } else { Style::Plain };
            printer.write(style, format_args!("   {key}: {value}"));
            printer.write(Style::Faint, format_args!("  {origin}\n"));
        }
    }
}

/// What a handler works with, and where each value is written.
fn settings(section: &Section<'_>) -> Vec<Setting> {
    let setting = |(key, node): (KeyPath, Node)| Setting {
        key: key.to_string(),
        value: node.shown(),
        origin: node.origin.to_string(),
        default: matches!(node.origin, Origin::Default | Origin::TakenBack(_)),
    };
    section.effective().into_iter().map(setting).collect()
}

#[cfg(test)]
mod tests {
    use schemars::{SchemaGenerator, json_schema};
    use serde_json::json;

    use super::settings;
    use crate::conf::source::InMemory;
    use crate::conf::{Composed, Document, Kind, Part};

    #[test]
    fn secrets_in_lists_are_hidden() {
        let conf = |_: &mut SchemaGenerator| {
            let keys = json!({ "type": "array", "items": { "type": "string", "format": "secret" } });
            json_schema!({ "type": "object", "properties": { "keys": keys } })
        };
        let part = Part { kind: Kind::Handler, name: "part".to_owned(), doc: String::new(), conf };
        let document = Document::of_text("greeter.yaml", "handlers: { part: { keys: [sekret] } }\n").unwrap();
        let conf = document.check(Composed::new(&[part]), &[], &InMemory::default()).unwrap();
        let settings = settings(&conf.handler("part"));
        let keys = settings.iter().find(|setting| setting.key == "keys").unwrap();
        assert_eq!(keys.value, json!(["***"]));
    }
}
