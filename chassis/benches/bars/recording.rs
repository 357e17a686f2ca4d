//! Calls that are recorded: each leaves a span for a sender, which throws it away.

use std::sync::Mutex;

use chassis::app::Running;
use chassis::clock::Clock;
use chassis::conf::root::Otlp;
use chassis::conf::source::Resource;
use chassis::conf::{BuildContext, BuildError};
use chassis::metrics::{Kind, Labels, Spec, Unit};
use chassis::outbox::{Lines, Sizes, Waiting};
use chassis::telemetry::{CHASSIS_EXPORTERS_V1, Exporter, Exporting, install};
use linkme::distributed_slice;

use crate::service::{runtime, sources, start};

static DROPPED: Spec = Spec { name: "dropped", help: "", unit: Unit::Count("span"), kind: Kind::Counter };

static LEFT: Mutex<Option<Waiting>> = Mutex::new(None);

#[distributed_slice(CHASSIS_EXPORTERS_V1)]
static NOBODY: Exporter = Exporter { begin };

fn begin(_: &Otlp, _: &Resource, context: &BuildContext<'_>) -> Result<Exporting, BuildError> {
    let process = context.process;
    let sizes = Sizes { queue: 4 * BATCH, batch: BATCH, front: 256 };
    *LEFT.lock().unwrap() = process.spans.open(sizes, process.metrics.counter(&DROPPED, Labels::new()));
    Ok(Exporting::default())
}

/// The service behind this chain, as it runs where its log is read and a collector listens.
pub(crate) fn service(chain: &str) -> Running {
    let _ = install(&serde_json::from_str("{\"format\": \"json\"}").unwrap(), &Lines::default(), Clock::system());
    let mut sources = sources(chain);
    sources.texts.push(("sent".to_owned(), "{ telemetry: { otlp: {} } }".to_owned()));
    runtime().block_on(start(&sources))
}

/// How many spans are sent at once.
pub(crate) const BATCH: usize = 512;

/// Throws away what is sent at once.
pub(crate) fn discard() {
    let batch = LEFT.lock().unwrap().as_mut().unwrap().take();
    assert_eq!(batch.unwrap().spans, BATCH);
}
