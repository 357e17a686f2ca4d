//! What the process takes: observed when somebody asks, where the operating system or the runtime says so.

use tokio::runtime::{Handle, RuntimeMetrics};

use crate::clock::Clock;
use crate::conf::source::{own, pressure};
use crate::descriptors;
use crate::metrics::{Kind, Labels, Metrics, Spec, Unit, labels};

static UPTIME: Spec = Spec {
    name: "process.uptime",
    help: "How long the service has been answering calls.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
};

static MEMORY: Spec = Spec {
    name: "process.memory.usage",
    help: "The memory of the process that is resident.",
    unit: Unit::Bytes,
    kind: Kind::Gauge,
};

static CPU: Spec = Spec {
    name: "process.cpu.time",
    help: "The processor time that all threads took, in the program and for it in the operating system.",
    unit: Unit::Seconds,
    kind: Kind::Counter,
};

// The conventions say `process.thread.count`, a suffix that Prometheus has for histograms.
static THREADS: Spec = Spec {
    name: "process.threads",
    help: "The threads of the process.",
    unit: Unit::Count("thread"),
    kind: Kind::Gauge,
};

// The conventions say `process.unix.file_descriptor.count`, with the same suffix, and nothing of the limit.
static DESCRIPTORS: Spec = Spec {
    name: "process.unix.file_descriptors",
    help: "The file descriptors that the process has, connections among them.",
    unit: Unit::Count("file_descriptor"),
    kind: Kind::Gauge,
};

static DESCRIPTOR_LIMIT: Spec = Spec {
    name: "process.unix.file_descriptor.limit",
    help: "The file descriptors that the process may have.",
    unit: Unit::Count("file_descriptor"),
    kind: Kind::Gauge,
};

static WORKERS: Spec = Spec {
    name: "tokio.runtime.workers",
    help: "The threads that calls are answered by.",
    unit: Unit::Count("thread"),
    kind: Kind::Gauge,
};

static TASKS: Spec = Spec {
    name: "tokio.runtime.alive_tasks",
    help: "The tasks that there are: about one for each connection, and a few more.",
    unit: Unit::Count("task"),
    kind: Kind::Gauge,
};

static QUEUE: Spec = Spec {
    name: "tokio.runtime.global_queue_depth",
    help: "The tasks that wait for a thread: where there are always some, the processors are too few.",
    unit: Unit::Count("task"),
    kind: Kind::Gauge,
};

/// Lets whoever asks for metrics see what the process takes. What the system does not tell is not shown.
pub(super) fn observe(metrics: &Metrics, clock: Clock) {
    let started = clock.now();
    metrics.observe(&UPTIME, Labels::new(), move || Some(clock.now().duration_since(started).as_secs_f64()));
    metrics.observe(&MEMORY, Labels::new(), || memory(&own("status")?));
    metrics.observe(&THREADS, Labels::new(), || field(&own("status")?, "Threads:"));
    for (mode, place) in [("user", 0), ("system", 1)] {
        metrics.observe(&CPU, labels([("cpu.mode", mode)]), move || ticks(&own("stat")?, place));
    }
    metrics.observe(&DESCRIPTORS, Labels::new(), || pressure::open_descriptors().ok());
    metrics.observe(&DESCRIPTOR_LIMIT, Labels::new(), || Some(descriptors::limit()? as f64));
    if let Ok(runtime) = Handle::try_current() {
        observe_runtime(metrics, &runtime.metrics());
    }
}

fn observe_runtime(metrics: &Metrics, runtime: &RuntimeMetrics) {
    let figures: [(&'static Spec, fn(&RuntimeMetrics) -> usize); 3] = [
        (&WORKERS, RuntimeMetrics::num_workers),
        (&TASKS, RuntimeMetrics::num_alive_tasks),
        (&QUEUE, RuntimeMetrics::global_queue_depth),
    ];
    for (spec, figure) in figures {
        let runtime = runtime.clone();
        metrics.observe(spec, Labels::new(), move || Some(figure(&runtime) as f64));
    }
}

/// In bytes, from `/proc/self/status`.
fn memory(status: &str) -> Option<f64> {
    Some(field(status, "VmRSS:")? * 1024.0)
}

fn field(status: &str, name: &str) -> Option<f64> {
    let said = status.lines().find_map(|line| line.strip_prefix(name))?;
    said.split_whitespace().next()?.parse().ok()
}

/// In seconds, from `/proc/self/stat`: the fields 14 and 15. Linux counts a hundred ticks a second for programs, whatever
/// its own clock does.
fn ticks(stat: &str, place: usize) -> Option<f64> {
    // The second field is the name of the program, and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: f64 = fields.split_whitespace().nth(11 + place)?.parse().ok()?;
    Some(ticks / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_understood() {
        let status = "Name:\tgreeter\nVmHWM:\t    900 kB\nVmRSS:\t    2048 kB\nThreads:\t7\n";
        assert_eq!((memory(status), field(status, "Threads:")), (Some(2_097_152.0), Some(7.0)));
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 1 0 0 0 250 75 0 0 20 0 7 0 100 1 1";
        assert_eq!((ticks(stat, 0), ticks(stat, 1)), (Some(2.5), Some(0.75)));
    }

    #[test]
    fn what_is_not_said_is_not_shown() {
        assert_eq!((memory(""), ticks("42 (a", 0), ticks("42 (a) S", 0)), (None, None, None));
    }
}
