//! What YAML says about overload.

use super::class::Criticality;
use crate::condition::When;
use crate::conf;
use crate::conf::{BuildError, Interval, Share};
use crate::handler::capacity::check_times;
use crate::invocation::Network;

/// How much the service takes on, and what goes first when that is too much.
#[conf]
pub struct Conf {
    /// Whether the limit follows how long calls take: `adaptive`, or is `max`: `fixed`.
    #[conf(default = Mode::Adaptive)]
    pub limit: Mode,
    /// How many calls may run at the same time; with an adaptive limit, at most.
    #[conf(default = 200, range(1..))]
    pub max: u32,
    /// How many calls an adaptive limit lets run at least.
    #[conf(default = 20, range(1..))]
    pub min: u32,
    /// Where an adaptive limit begins; without it at 20, or at what is closest to that between `min` and `max`.
    #[conf(range(1..))]
    #[schemars(extend("examples" = [20]))]
    pub initial: Option<u32>,
    /// How much longer than usual calls may take before an adaptive limit shrinks: `1.5` is half as long again.
    #[conf(default = 1.5)]
    pub tolerance: f64,
    /// By how many calls an adaptive limit tries to grow while calls take what they usually do.
    #[conf(default = 4, range(1..=1000))]
    pub headroom: u32,
    /// How long an adaptive limit measures before it changes. It waits for ten successful calls in any case.
    #[conf(default = Interval::millis(100))]
    pub window: Interval,
    /// How many calls may wait for others to end.
    #[conf(default = 100, range(..=100_000))]
    pub queue: u32,
    /// How long a call may wait at most; its deadline may end the wait earlier. When whoever goes in has waited for more
    /// than 5ms for 100ms long, the queue stands: then the latest goes in first, and the one that waits longest is
    /// refused, after 100ms another one, and so on, ever sooner, until it drains (CoDel, RFC 8289).
    #[conf(default = Interval::millis(100))]
    pub queue_timeout: Interval,
    /// How critical calls are of which nothing else is said: `sheddable`, `sheddable-plus`, `critical` or
    /// `critical-plus`.
    #[conf(default = Criticality::Critical)]
    pub criticality: Criticality,
    /// How critical others are: the first that fits a call holds. One is written as
    /// `{ criticality: sheddable, when: { operation: [report.*] } }`.
    #[conf(default)]
    pub rules: Vec<Rule>,
    /// The header field in which peers that are trusted say how critical a call is that no rule fits, such as
    /// `X-Criticality`. None by default.
    pub header: Option<String>,
    /// The networks of the peers that are trusted to say so: `10.0.0.0/8`, `192.0.2.7`, `unix` for Unix sockets.
    /// Nobody is by default.
    #[conf(default)]
    pub trusted_peers: Vec<Network>,
    /// Calls that are never refused and from which nothing is learnt, such as probes: `{ path: /healthz }`. The admin
    /// listener has none of this anyway.
    pub exempt: Option<When>,
    /// How much of the limit each criticality may use: the more critical calls are, the more, or as much. With `0%` all
    /// such calls are refused; the highest has more.
    #[conf(default)]
    pub thresholds: Thresholds,
    /// The part of the memory limit of the control group above which calls are refused. It is looked at four times a
    /// second; without a limit nothing is refused.
    #[conf(default)]
    pub memory: Guard,
    /// The part of the file descriptors above which calls are refused.
    #[conf(default)]
    pub descriptors: Guard,
    /// When refused callers are told to come back.
    #[conf(default = Interval::secs(1))]
    pub retry_after: Interval,
    /// Up to how many whole seconds are added to that at random, so that refused callers do not all come back at once.
    #[conf(default = Interval::secs(2))]
    pub retry_jitter: Interval,
}

/// How the limit is found.
#[conf]
#[derive(Copy, PartialEq, Eq)]
pub enum Mode {
    /// It follows how long successful calls take, between `min` and `max`.
    Adaptive,
    /// It is `max`.
    Fixed,
}

/// How critical some calls are.
#[conf]
pub struct Rule {
    /// How critical they are.
    pub criticality: Criticality,
    /// Which calls.
    pub when: When,
}

/// How much of what there is each criticality may use.
#[conf]
#[derive(Copy, PartialEq)]
pub struct Thresholds {
    /// Calls of the highest criticality.
    #[conf(default = Share::ALL)]
    pub critical_plus: Share,
    /// Critical calls.
    #[conf(default = Share::percent(90))]
    pub critical: Share,
    /// Calls that can be refused if need be.
    #[conf(default = Share::percent(70))]
    pub sheddable_plus: Share,
    /// Calls that are refused first.
    #[conf(default = Share::percent(50))]
    pub sheddable: Share,
}

impl Thresholds {
    /// By the place of the criticality.
    pub(super) fn by_place(self) -> [Share; 4] {
        [self.sheddable, self.sheddable_plus, self.critical, self.critical_plus]
    }
}

/// When something is used up.
#[conf]
#[derive(Copy, PartialEq)]
pub struct Guard {
    /// From where on it gets tight.
    #[conf(default = Share::percent(80))]
    pub from: Share,
    /// Where nothing is left: here all calls are refused, below it those whose threshold is passed on the way from
    /// `from`. `100%` for never.
    #[conf(default = Share::percent(95))]
    pub full: Share,
}

impl Conf {
    /// # Errors
    /// What is wrong with a value in a way its type cannot say.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        if self.limit == Mode::Adaptive {
            self.check_bounds()?;
        }
        if !(1.0..=10.0).contains(&self.tolerance) {
            let error = BuildError::new("tolerance", format!("`{}` is not between 1 and 10", self.tolerance));
            return Err(error.with_help("1.5 lets calls take half as long again as usual"));
        }
        if !(Interval::millis(1)..=Interval::secs(1)).contains(&self.window) {
            let error = BuildError::new("window", format!("`{}` is not between 1ms and 1s", self.window));
            return Err(error.with_help("shorter ones follow quicker, longer ones are steadier"));
        }
        check_times(self.queue, self.queue_timeout, self.retry_after)?;
        self.thresholds.check().map_err(|error| error.below("thresholds"))?;
        self.memory.check().map_err(|error| error.below("memory"))?;
        self.descriptors.check().map_err(|error| error.below("descriptors"))
    }
}

impl Conf {
    fn check_bounds(&self) -> Result<(), BuildError> {
        let beyond = |key: &str, bound: u32| {
            let message = format!("`{key}` is {bound} and `max` only {}", self.max);
            BuildError::new(key, message).with_help("the limit lies between `min` and `max`")
        };
        let max = self.max;
        match (self.min, self.initial) {
            (min, _) if min > max => Err(beyond("min", min)),
            (_, Some(initial)) if initial > max => Err(beyond("initial", initial)),
            _ => Ok(()),
        }
    }
}

impl Thresholds {
    fn check(self) -> Result<(), BuildError> {
        let all: Vec<_> = Criticality::ALL.into_iter().map(Criticality::as_str).zip(self.by_place()).collect();
        if self.critical_plus == Share::percent(0) {
            let error = BuildError::new(Criticality::CriticalPlus.as_str(), "with 0% no call ever passes");
            return Err(error.with_help("write at least `1%`; calls that are less critical may have `0%`"));
        }
        let inverted = all.windows(2).find(|pair| pair[0].1 > pair[1].1);
        let Some([(lower, most), (higher, least)]) = inverted else { return Ok(()) };
        let message = format!("`{higher}` is {least} and `{lower}`, which is less critical, {most}");
        Err(BuildError::new("", message).with_help("the more critical calls are, the more they may use"))
    }
}

impl Guard {
    fn check(self) -> Result<(), BuildError> {
        if self.from < self.full || self.full == Share::ALL {
            return Ok(());
        }
        let message = format!("`from` is {} and `full` only {}", self.from, self.full);
        Err(BuildError::new("from", message).with_help("calls are refused between the two, the least critical first"))
    }
}
