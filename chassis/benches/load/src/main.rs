//! Drives bare axum, raw hyper and chassis in interleaved rounds of one run and prints how they compare.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

mod flags;

mod artifact;
mod chain;
mod contest;
mod entrant;
mod footprint;
mod table;

mod connection;
mod cores;
mod drive;
mod exchange;
mod server;

use artifact::Builder;
use contest::Contest;
use cores::Cores;
use flags::Flags;
use footprint::Footprint;

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let cores = Cores::choose(flags)?;
    let builder = Builder::new(flags);
    let entrants = entrant::chosen(flags, &builder)?;
    let footprint = match entrant::greeter(&entrants) {
        Some(greeter) => Some(Footprint::measure(greeter, flags, &cores)?),
        None => None,
    };
    let results = Contest::start(entrants, &cores)?.run(flags)?;
    if flags.smoke {
        println!("{} entrants gave the right answer to every request; a debug build says no more", results.len());
        return Ok(());
    }
    print!("{}", table::machine(flags, &cores));
    print!("{}", table::contest(&results));
    if let Some(footprint) = footprint {
        print!("{footprint}");
    }
    Ok(())
}
