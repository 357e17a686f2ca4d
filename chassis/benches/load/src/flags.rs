//! What the command line says.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Drives bare axum, raw hyper and chassis in interleaved rounds of one run and prints how they compare.
///
/// Only the ratios of one run mean something: absolute figures drift with the machine.
#[derive(Parser)]
pub(crate) struct Flags {
    /// How often every entrant is measured
    #[arg(long, default_value_t = 9)]
    rounds: usize,

    /// How long an entrant is measured in a round, in milliseconds
    #[arg(long, default_value_t = 2000)]
    millis: u64,

    /// How long it is driven before that, in milliseconds
    #[arg(long, default_value_t = 500)]
    warm_up: u64,

    /// Keep-alive connections
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,

    /// The default chain with a token on every request, against bare axum and the stack people write today, in place of
    /// the other rows
    #[arg(long)]
    pub(crate) chain: bool,

    /// Only entrants whose name contains one of these
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// The core the servers are pinned to [default: the first this process may use]
    #[arg(long)]
    pub(crate) server_core: Option<usize>,

    /// The core the load is pinned to [default: the next]
    #[arg(long)]
    pub(crate) load_core: Option<usize>,

    /// Where binaries are built; shared by all so that dependencies are compiled once [default: the workspace's target]
    #[arg(long)]
    pub(crate) target_dir: Option<PathBuf>,

    /// One short round of debug builds: proves that everything runs, measures nothing
    #[arg(long)]
    pub(crate) smoke: bool,
}

impl Flags {
    pub(crate) fn rounds(&self) -> usize {
        if self.smoke { 1 } else { self.rounds.max(1) }
    }

    pub(crate) fn measured(&self) -> Duration {
        Duration::from_millis(if self.smoke { 200 } else { self.millis })
    }

    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.smoke { 50 } else { self.warm_up })
    }

    /// How often a process is started to see how long that takes.
    pub(crate) fn starts(&self) -> usize {
        if self.smoke { 1 } else { 11 }
    }

    pub(crate) fn profile(&self) -> &'static str {
        if self.smoke { "dev" } else { "release" }
    }
}
