//! Prints everything that is linked into a service of several crates, in the order of the catalog:
//! `cargo run -p chassis-renamed --example catalog`. The link stage compares what profiles print.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::process::ExitCode;

use chassis_renamed as _;
use spine::catalog::{Catalog, Head};
use spine::prelude::*;

/// Comes last in the alphabet, and first here.
#[schema("/zeros", crate = spine)]
struct Zero;

#[operations(crate = spine)]
impl Zero {
    /// Says so.
    #[get("/", public)]
    fn say(&self) {}

    /// Forgets it.
    #[delete("/", public)]
    fn forget(&self) {}
}

/// Comes first in the alphabet, and last here.
#[schema("/adders", crate = spine)]
struct Adder;

#[operations(crate = spine)]
impl Adder {
    /// Adds.
    #[put("/{name}", public)]
    fn add(&self, Path(_): Path<String>) {}
}

/// Keeps what is added.
#[component("attic", crate = spine)]
struct Attic;

impl Start for Attic {
    type Conf = ();

    async fn start((): (), _: &mut Starting<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

/// Lets everybody pass.
#[handler("archway", crate = spine)]
struct Archway;

impl Configure for Archway {
    type Conf = ();

    fn build((): (), _: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Handler for Archway {}

fn main() -> ExitCode {
    let written = Catalog::linked().map(|catalog| stdout().write_all(listing(&catalog).as_bytes()));
    if matches!(written, Ok(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn listing(catalog: &Catalog) -> String {
    let mut text = String::new();
    for entry in &catalog.schemas {
        list(&mut text, "schema", &entry.head);
        for operation in (entry.operations)() {
            let _ = writeln!(text, "  {} {} {}", operation.id, operation.method, operation.template);
        }
    }
    catalog.handlers.iter().for_each(|entry| list(&mut text, "handler", &entry.head));
    catalog.components.iter().for_each(|entry| list(&mut text, "component", &entry.head));
    catalog.protocols.iter().for_each(|entry| list(&mut text, "protocol", &entry.head));
    text
}

fn list(text: &mut String, kind: &str, head: &Head) {
    let _ = writeln!(text, "{kind} {} ({})", head.name, head.location);
}
