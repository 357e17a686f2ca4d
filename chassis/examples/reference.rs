//! Prints the reference of all keys: `cargo run -p chassis --example reference > conf/chassis.yaml`.

use std::io::{Write, stdout};
use std::process::ExitCode;

use chassis::app::App;

fn main() -> ExitCode {
    let written = App::reference().map(|reference| stdout().write_all(reference.as_bytes()));
    if matches!(written, Ok(Ok(()))) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
