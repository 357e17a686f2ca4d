//! `conf`: the effective configuration with the origin of each value, the reference of all keys, or the JSON Schema.

use clap::Args;

use super::print::Printer;
use super::{App, Flags};
use crate::app::StartError;
use crate::conf::BuildError;

/// What `conf` takes.
#[derive(Args)]
pub(super) struct Options {
    /// Print every key there is with its default and what it means, as YAML
    #[arg(long, conflicts_with = "schema")]
    reference: bool,
    /// Print the JSON Schema of the configuration, for editors
    #[arg(long)]
    schema: bool,
}

pub(super) fn run(app: App, flags: &Flags, options: &Options) -> Result<Printer, StartError> {
    let mut printer = Printer::new(flags);
    if options.reference && printer.json {
        return Err(no_json());
    } else if options.reference {
        printer.text(app.reference()?);
    } else if options.schema {
        printer.document(&app.json_schema()?);
    } else {
        let prepared = flags.prepare(app)?;
        let listing = prepared.conf.listing();
        if printer.json { printer.document(&listing) } else { printer.text(listing.titled(prepared.revision())) }
    }
    Ok(printer)
}

fn no_json() -> StartError {
    let error = BuildError::new("", "the reference is YAML with comments; there is none in JSON");
    StartError::Asked(error.with_help("leave out `--json`, or ask for every key as JSON Schema: `conf --schema`"))
}
