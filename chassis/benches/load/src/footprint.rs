//! What a service takes before anyone calls it: time to start, memory, disk.

use std::fmt;
use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use crate::cores::Cores;
use crate::entrant::Entrant;
use crate::flags::Flags;
use crate::server::Server;
use crate::table::{bar, median};

/// What a process takes before anyone calls it.
pub(crate) struct Footprint {
    ready: Duration,
    resident: u64,
    binary: u64,
}

impl Footprint {
    pub(crate) fn measure(entrant: &Entrant, flags: &Flags, cores: &Cores) -> io::Result<Self> {
        let mut ready = Vec::new();
        let mut resident = 0;
        for _ in 0..flags.starts() {
            let server = Server::start(&entrant.launch, cores, &entrant.exchange)?;
            ready.push(server.ready_after.as_secs_f64());
            if ready.len() == flags.starts() {
                thread::sleep(Duration::from_secs(1));
                resident = server.resident()?;
            }
        }
        let binary = fs::metadata(&entrant.launch.program)?.len();
        Ok(Self { ready: Duration::from_secs_f64(median(ready)), resident, binary })
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
        let millis = self.ready.as_secs_f64() * 1e3;
        writeln!(f, "\n| greeter | | bar |\n|---|---|---|")?;
        row(f, "start to first answer", millis, "ms", 50.0)?;
        row(f, "resident memory, idle", mebibytes(self.resident), "MiB", 12.0)?;
        row(f, "release binary", mebibytes(self.binary), "MiB", 12.0)
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, value: f64, unit: &str, most: f64) -> fmt::Result {
    writeln!(f, "| {what} | {value:.1} {unit} | {} |", bar(Some(most), |most| value <= most, "≤"))
}
