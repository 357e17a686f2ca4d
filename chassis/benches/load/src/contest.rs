//! All entrants at once, measured in turns, so that a change of the machine meets all of them alike.

use std::io;

use crate::cores::Cores;
use crate::drive::{Plan, Round, round};
use crate::entrant::Entrant;
use crate::flags::Flags;
use crate::server::{Server, Spans, ask, wrong};

pub(crate) struct Contest(Vec<(Entrant, Server)>);

/// The rounds of one entrant.
pub(crate) struct Rounds {
    pub(crate) name: &'static str,
    pub(crate) rounds: Vec<Round>,
    /// What became of the spans, of a server that sends them.
    pub(crate) spans: Option<Spans>,
}

impl Contest {
    /// Starts every server and sees that it answers rightly, and refuses what it must refuse.
    pub(crate) fn start(entrants: Vec<Entrant>, cores: &Cores) -> io::Result<Self> {
        let mut started = Vec::new();
        for entrant in entrants {
            let server =
                Server::start(&entrant.launch, cores, &entrant.exchange).map_err(|error| of(&entrant, &error))?;
            refuses(&entrant, &server).map_err(|error| of(&entrant, &error))?;
            started.push((entrant, server));
        }
        Ok(Self(started))
    }

    /// Measures all of them in turns; every round begins with the next, so that none always follows the same one.
    pub(crate) fn run(self, flags: &Flags) -> io::Result<Vec<Rounds>> {
        let plan = Plan { connections: flags.connections, warm_up: flags.warm_up(), measured: flags.measured() };
        let mut results: Vec<_> =
            self.0.iter().map(|(entrant, _)| Rounds { name: entrant.name, rounds: Vec::new(), spans: None }).collect();
        for turn in 0..flags.rounds() {
            eprintln!("round {} of {}", turn + 1, flags.rounds());
            for step in 0..self.0.len() {
                let at = (turn + step) % self.0.len();
                let (entrant, server) = &self.0[at];
                let measured = round(server.address, &entrant.exchange, &plan, || server.processor_time());
                results[at].rounds.push(measured.map_err(|error| of(entrant, &error))?);
            }
        }
        for ((entrant, server), rounds) in self.0.iter().zip(&mut results) {
            rounds.spans = server.spans().map_err(|error| of(entrant, &error))?;
        }
        Ok(results)
    }
}

fn refuses(entrant: &Entrant, server: &Server) -> io::Result<()> {
    let Some(refused) = &entrant.refused else { return Ok(()) };
    match ask(server.address, refused.request(0)) {
        Some(answer) if answer.starts_with(b"HTTP/1.1 401") => Ok(()),
        answer => Err(wrong(&answer.unwrap_or_default())),
    }
}

fn of(entrant: &Entrant, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", entrant.name))
}
