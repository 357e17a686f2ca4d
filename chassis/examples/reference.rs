//! Prints the reference of all keys: `cargo run -p chassis --example reference > conf/chassis.yaml`.

use std::io::{Write, stdout};
use std::process::ExitCode;

use chassis::app::App;
use chassis::cli::Package;

fn main() -> ExitCode {
    let written = App::new(Package { name: "chassis", version: "" })
        .reference()
        .map(|reference| stdout().write_all(reference.as_bytes()));
    if matches!(written, Ok(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
