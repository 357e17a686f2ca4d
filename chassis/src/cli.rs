//! The commands every service has: it serves, and it describes what it would do, from the same code.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{App, Prepared, StartError};
use crate::conf::{BuildError, Sources};

mod check;
mod color;
mod conf;
mod explain;
mod print;
mod routes;
mod serve;
mod token;

use color::Color;
use print::Printer;

/// Which service this is: what `chassis::main!()` takes from the service's own `Cargo.toml`.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// Its name, also the name of its configuration file.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

#[derive(Parser)]
#[command(about = ABOUT, long_about = None, disable_help_subcommand = true, after_help = EXIT_CODES)]
struct Line {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

const ABOUT: &str = "Serves calls, and says what it would do with them.";

const EXIT_CODES: &str = "Exit codes: 0 done; 1 it failed while it ran; 2 the command line is wrong; 3 it stopped and cut \
                          calls off; 78 the configuration is rejected.";

/// What every command takes.
#[derive(Args)]
pub(crate) struct Flags {
    /// A YAML file, or a folder of them; may be repeated, later ones win [default: those of CHASSIS_CONF, separated by
    /// colons, else conf/NAME.yaml]
    #[arg(long = "conf", value_name = "FILE", global = true)]
    files: Vec<PathBuf>,
    /// One value, such as handlers.rate-limit.rate=5/s; may be repeated, wins over files and environment
    #[arg(long = "set", value_name = "KEY=VALUE", global = true)]
    sets: Vec<String>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// When to use colours; NO_COLOR in the environment turns `auto` off
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    color: Color,
}

#[derive(Subcommand)]
enum Command {
    /// Serve calls until told to stop; this is what happens without a command
    Serve,
    /// Check the configuration and prove the chains, and say everything that is wrong
    Check,
    /// List the operations: method, path, listener, access, chain
    Routes,
    /// Print the effective configuration and where each value comes from
    Conf(conf::Options),
    /// Say what would happen to a call: operation, parameters, each handler with its verdict
    Explain(explain::Options),
    /// Print a token for development, signed with the key of the `auth` handler
    Token(token::Options),
}

/// Runs the command line of a service. This is what `chassis::main!()` calls.
pub fn main(package: Package) -> ExitCode {
    run(App::new(package))
}

/// The same for a service that is put together by hand: all commands know what is mounted.
pub fn run(app: App) -> ExitCode {
    match parse(app.package()) {
        Ok(line) => line.run(app),
        Err(error) => {
            // Help and version are no failure; clap knows where each belongs and how it exits.
            let printed = print::written(error.print());
            match error.exit_code() {
                0 => printed,
                code => ExitCode::from(u8::try_from(code).unwrap_or(2)),
            }
        }
    }
}

fn parse(package: Package) -> Result<Line, clap::Error> {
    // What clap says itself is coloured before it has read how.
    let colour = Color::asked(std::env::args_os().skip(1));
    let command = Line::command().name(package.name).version(package.version).color(colour.into());
    let matches = command.try_get_matches()?;
    Line::from_arg_matches(&matches)
}

impl Line {
    fn run(self, app: App) -> ExitCode {
        let Self { flags, command } = self;
        let outcome = match command.unwrap_or(Command::Serve) {
            Command::Serve => return serve::run(app, &flags),
            Command::Check => check::run(app, &flags),
            Command::Routes => routes::run(app, &flags),
            Command::Conf(options) => conf::run(app, &flags, &options),
            Command::Explain(options) => explain::run(app, &flags, &options),
            Command::Token(options) => token::run(app, &flags, &options),
        };
        match outcome {
            Ok(printer) => printer.finish(),
            Err(error) => fail(&error, &flags),
        }
    }
}

impl Flags {
    pub(super) fn sources(&self, package: Package) -> Sources {
        Sources::of_process(package.name, self.files.clone(), self.sets.clone())
    }

    pub(super) fn prepare(&self, app: App) -> Result<Prepared, StartError> {
        let sources = self.sources(app.package());
        app.prepare(&sources)
    }
}

/// Says why there is no service: on standard error, or as the JSON that was asked for.
fn fail(error: &StartError, flags: &Flags) -> ExitCode {
    let mut printer = Printer::for_errors(flags);
    printer.error(error);
    if flags.json {
        // Whoever asks for JSON reads it where the answer would be; why there is none matters more than this.
        let _ = printer.finish();
    } else {
        printer.complain();
    }
    ExitCode::from(error.exit_code())
}

/// Something the system refused.
fn broken(what: &str, error: &std::io::Error) -> StartError {
    StartError::failed(what, BuildError::new("", error.to_string()))
}
