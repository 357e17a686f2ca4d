//! What a call costs inside the process: allocations and instructions, which do not drift and are gates, and time.
//!
//! `cargo bench -p chassis --bench bars` measures; with `-- --gate` it compares with recorded.json, and
//! with `-- --record` it writes recorded.json anew. Instructions are counted where valgrind is.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints, reads the clock and ends at the first surprise"
)]

use std::env;
use std::process::ExitCode;

mod bars;
mod crowding;
mod gate;
mod scenario;
mod timing;

mod inside;
mod keys;
mod outside;
mod recording;
mod service;

mod counting;
mod instructions;
mod recorded;

use scenario::Scenario;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("note: this is a debug build; nothing here says anything about releases");
    }
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => timing::report(),
        ["--gate"] => return gate::check(),
        ["--record"] => gate::record(),
        [instructions::ONLY, name, times] => Scenario::named(name).repeat(times.parse().unwrap()),
        other => {
            eprintln!("unknown arguments {other:?}; there are --gate and --record");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
