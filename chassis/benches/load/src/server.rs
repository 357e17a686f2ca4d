//! A server process: started on its core, watched through /proc, ended with this process.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cores::Cores;
use crate::exchange::{Exchange, length};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a server is started; `{address}` and `{admin}` in its arguments are where it shall listen.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    /// Where its log goes: writing it is part of what a server does.
    pub(crate) log: PathBuf,
    /// What it sends spans to, at `{collector}` in its arguments.
    pub(crate) collector: Option<PathBuf>,
}

pub(crate) struct Server {
    child: Child,
    /// Beside the load: what a server tells others is not its own work.
    collector: Option<Child>,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    /// From the start of the process to its first right answer.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Starts it and waits for its first right answer.
    pub(crate) fn start(launch: &Launch, cores: &Cores, exchange: &Exchange) -> io::Result<Self> {
        let (address, admin, collector) = (free_address()?, free_address()?, free_address()?);
        let mut command = launch.command(&[("{address}", address), ("{admin}", admin), ("{collector}", collector)])?;
        let beside = launch.collector.as_ref().map(|program| Command::new(program).arg(collector.to_string()).spawn());
        let beside = beside.transpose()?;
        let start = Instant::now();
        let child = cores.as_server(|| command.spawn())??;
        let mut server = Self { child, collector: beside, address, admin, ready_after: Duration::ZERO };
        server.ready_after = server.await_answer(exchange, start).map_err(|error| launch.explain(&error))?;
        Ok(server)
    }

    fn await_answer(&mut self, exchange: &Exchange, start: Instant) -> io::Result<Duration> {
        loop {
            if let Some(answer) = ask(self.address, exchange.request(0)) {
                let waited = start.elapsed();
                return if exchange.is_answered_by(&answer) { Ok(waited) } else { Err(wrong(&answer)) };
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            if start.elapsed() > PATIENCE {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the server did not answer within 10 s"));
            }
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// The processor time of all its threads.
    pub(crate) fn processor_time(&self) -> io::Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            nanos += text.split(' ').next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The resident memory, in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kibibytes = line.trim().trim_end_matches(" kB").parse::<u64>().map_err(io::Error::other)?;
        Ok(kibibytes * 1024)
    }
}

/// What became of the spans of calls that are recorded.
pub(crate) struct Spans {
    pub(crate) exported: u64,
    /// Those that found no room in the queue.
    pub(crate) dropped: u64,
}

impl Server {
    /// What the server says of its spans, once the last are sent; nothing of one that sends none.
    pub(crate) fn spans(&self) -> io::Result<Option<Spans>> {
        if self.collector.is_none() {
            return Ok(None);
        }
        thread::sleep(Duration::from_secs(1));
        let answer = ask(self.admin, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap_or_default();
        let text = String::from_utf8_lossy(&answer);
        let sum = |name: &str, label: &str| -> Option<u64> {
            let lines: Vec<_> = text.lines().filter(|line| line.starts_with(name) && line.contains(label)).collect();
            let values = lines.iter().filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            (!lines.is_empty()).then(|| values.sum::<f64>() as u64)
        };
        let exported = sum("otel_sdk_exporter_span_exported", "").ok_or_else(|| wrong(&answer))?;
        let dropped = sum("otel_sdk_processor_span_processed", "error_type=\"queue_full\"").unwrap_or(0);
        Ok(Some(Spans { exported, dropped }))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in [Some(&mut self.child), self.collector.as_mut()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Launch {
    fn command(&self, places: &[(&str, SocketAddr)]) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        for argument in &self.arguments {
            let text = argument.to_string_lossy().into_owned();
            command.arg(places.iter().fold(text, |text, (name, place)| text.replace(name, &place.to_string())));
        }
        let log = File::create(&self.log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    /// The error, with what the server said.
    fn explain(&self, error: &io::Error) -> io::Error {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        io::Error::new(error.kind(), format!("{error}\n{said}"))
    }
}

/// One question on a connection of its own; nothing while nobody listens.
pub(crate) fn ask(address: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while length(&answer).is_none_or(|length| answer.len() < length) {
        let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
        answer.extend_from_slice(&part[..read]);
    }
    Some(answer)
}

pub(crate) fn wrong(answer: &[u8]) -> io::Error {
    io::Error::other(format!("a wrong answer:\n{}", String::from_utf8_lossy(answer)))
}

/// An address on this machine that nobody listens on right now.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
