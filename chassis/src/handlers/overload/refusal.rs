//! Why a call is refused, for its caller, for operators and for the counters.

use std::sync::Weak;

use super::class::Criticality;
use super::gate::Gate;
use super::guard::Tight;
use super::policy::Conf;
use crate::fault::Fault;
use crate::handler::capacity::Retry;
use crate::metrics::{Counter, Kind, Metrics, Spec, Unit, labels};
use crate::random::Random;

static REFUSED: Spec = Spec {
    name: "chassis.overload.refused",
    help: "Calls that `overload` refused, whether or not that counted, by criticality and by what was short.",
    unit: Unit::Count("request"),
    kind: Kind::Counter,
};

static LIMIT: Spec = Spec {
    name: "chassis.overload.limit",
    help: "How many calls `overload` lets run at the same time.",
    unit: Unit::Count("request"),
    kind: Kind::Gauge,
};

static INSIDE: Spec = Spec {
    name: "chassis.overload.running",
    help: "Calls that take a place of the limit of `overload`.",
    unit: Unit::Count("request"),
    kind: Kind::Gauge,
};

static WAITING: Spec = Spec {
    name: "chassis.overload.waiting",
    help: "Calls that wait at `overload` for others to end.",
    unit: Unit::Count("request"),
    kind: Kind::Gauge,
};

/// What is short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Short {
    /// There is no room, and none in the queue.
    Room,
    /// It waited for too long.
    Patience,
    /// It cannot be answered before its deadline.
    Time,
    /// Memory or file descriptors.
    Resource(Tight),
}

impl Short {
    const NAMES: [&str; 5] = ["room", "patience", "time", "memory", "descriptors"];

    fn place(self) -> usize {
        match self {
            Self::Room => 0,
            Self::Patience => 1,
            Self::Time => 2,
            Self::Resource(Tight::Memory(_)) => 3,
            Self::Resource(Tight::Descriptors(_)) => 4,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Room => {
                "It passes when fewer calls run, when it is more critical, or with a higher `max` or `queue`."
            }
            Self::Patience => "It passes when fewer calls wait, when it is more critical, or with a higher `max`.",
            Self::Time => "It passes with a later deadline, or when fewer calls run.",
            Self::Resource(_) => "It passes when less is in use, when it is more critical, or with a higher limit.",
        }
    }
}

/// Makes refusals and counts them.
pub(super) struct Refusals {
    retry: Retry,
    counters: [[Counter; Criticality::ALL.len()]; Short::NAMES.len()],
}

impl Refusals {
    pub(super) fn new(metrics: &Metrics, conf: &Conf, random: &Random) -> Self {
        let counter = |short: usize, class: usize| {
            let pairs = [("criticality", Criticality::ALL[class].as_str()), ("reason", Short::NAMES[short])];
            metrics.counter(&REFUSED, labels(pairs))
        };
        Self {
            retry: Retry { after: conf.retry_after.0, jitter: conf.retry_jitter.0, random: random.clone() },
            counters: std::array::from_fn(|short| std::array::from_fn(|class| counter(short, class))),
        }
    }

    #[cold]
    pub(super) fn refuse(&self, short: Short, class: Criticality, gate: &Gate) -> Fault {
        self.counters[short.place()][class.place()].increment();
        let policy = Short::NAMES[short.place()];
        let fault = self
            .retry
            .refusal(policy)
            .with_policy(policy)
            .with_evidence("criticality", class.as_str())
            .with_evidence("limit", gate.limit())
            .with_evidence("limit-for-criticality", gate.room(class))
            .with_evidence("running", gate.inside())
            .with_evidence("waiting", gate.waiting())
            .with_remedy(short.remedy());
        match short {
            Short::Resource(Tight::Memory(used) | Tight::Descriptors(used)) => fault.with_evidence("used", used),
            _ => fault,
        }
    }
}

/// Shows the limit and who is at the gate, for as long as there is one.
pub(super) fn observe(metrics: &Metrics, scope: Option<&str>, gate: &Weak<Gate>) {
    let observed: [(&'static Spec, fn(&Gate) -> usize); 3] =
        [(&LIMIT, Gate::limit), (&INSIDE, Gate::inside), (&WAITING, Gate::waiting)];
    for (spec, read) in observed {
        let (gate, scope) = (Weak::clone(gate), scope.unwrap_or("*").to_owned());
        metrics.observe(spec, labels([("operations", scope)]), move || Some(read(&*gate.upgrade()?) as f64));
    }
}
