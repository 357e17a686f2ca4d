//! A limit that follows how long calls take: Gradient2, as Netflix's `concurrency-limits` has it.
//!
//! While calls take as long as they always did, the limit grows a little; when they take longer, work piles up behind
//! them somewhere, and the limit shrinks. Nothing is ever slowed down to find out how quick it could be. Everything
//! here is a function of what was measured.

use super::class::Criticality;

/// How many kinds of calls are told apart: those of one criticality are compared with each other only.
pub(super) const CLASSES: usize = Criticality::ALL.len();

/// How much of what a window says becomes the limit at once.
const SMOOTHING: f64 = 0.2;
/// How many windows the usual time of a call is an average over.
const LONG: f64 = 600.0;
/// How many windows are averaged plainly before that.
const WARM_UP: u32 = 10;
/// The most by which a window shrinks the limit.
const STEEPEST: f64 = 0.5;
/// What is left of the usual time, for each window in which calls took less than half of it.
const FORGETTING: f64 = 0.95;

/// What was measured of the successful calls of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) count: u64,
    /// In microseconds, all together.
    pub(super) took: u64,
}

/// What was measured for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) samples: [Sample; CLASSES],
    /// How many calls were under way at most.
    pub(super) peak: usize,
}

/// The limit, and what it follows.
#[derive(Clone, Debug)]
pub(super) struct Gradient {
    limit: f64,
    bounds: (f64, f64),
    headroom: f64,
    tolerance: f64,
    usual: [Average; CLASSES],
}

/// How long calls usually take, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Average {
    windows: u32,
    value: f64,
}

impl Gradient {
    pub(super) fn new(initial: u32, bounds: (u32, u32), headroom: u32, tolerance: f64) -> Self {
        let bounds = (f64::from(bounds.0), f64::from(bounds.1));
        let limit = f64::from(initial).clamp(bounds.0, bounds.1);
        Self { limit, bounds, headroom: f64::from(headroom), tolerance, usual: Default::default() }
    }

    /// The limit.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// The limit after this window.
    pub(super) fn update(&mut self, window: &Window) -> usize {
        let gradient = self.gradient(window);
        // What is not used says nothing about how much would be too much.
        if let Some(gradient) = gradient
            && window.peak as f64 >= self.limit / 2.0
        {
            let wanted = self.limit * gradient + self.headroom;
            let smoothed = self.limit * (1.0 - SMOOTHING) + wanted * SMOOTHING;
            self.limit = smoothed.clamp(self.bounds.0, self.bounds.1);
        }
        self.limit()
    }

    /// How the time that calls take compares with what is usual, over all kinds of them; `None` if there were none.
    fn gradient(&mut self, window: &Window) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for (usual, sample) in self.usual.iter_mut().zip(&window.samples).filter(|(_, sample)| sample.count > 0) {
            let calls = sample.count as f64;
            let took = (sample.took as f64 / calls).max(1.0);
            sum += calls * (self.tolerance * usual.add(took) / took).clamp(STEEPEST, 1.0);
            count += calls;
        }
        (count > 0.0).then(|| sum / count)
    }
}

impl Average {
    /// The average with one more; what was long ago is forgotten faster when calls are much quicker now.
    fn add(&mut self, took: f64) -> f64 {
        self.windows = self.windows.saturating_add(1);
        let weight = if self.windows <= WARM_UP { 1.0 / f64::from(self.windows) } else { 2.0 / (LONG + 1.0) };
        self.value += (took - self.value) * weight;
        let compared = self.value;
        if self.value > 2.0 * took {
            self.value *= FORGETTING;
        }
        compared
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fresh() -> Gradient {
        Gradient::new(20, (20, 200), 4, 1.5)
    }

    fn window(count: u64, took: u64, peak: usize) -> Window {
        let mut window = Window { peak, ..Window::default() };
        window.samples[Criticality::Critical.place()] = Sample { count, took: count * took };
        window
    }

    fn windows(gradient: &mut Gradient, count: usize, took: u64, peak: usize) -> usize {
        for _ in 0..count {
            gradient.update(&window(20, took, peak));
        }
        gradient.limit()
    }

    #[test]
    fn it_grows_to_its_bound_while_calls_take_what_they_always_took() {
        let mut gradient = fresh();
        let after = [10, 100, 300].map(|count| windows(&mut gradient, count, 5_000, 200));
        assert_eq!(after, [28, 108, 200]);
    }

    #[test]
    fn it_shrinks_to_its_bound_when_calls_take_much_longer() {
        let mut gradient = fresh();
        windows(&mut gradient, 300, 5_000, 200);
        assert!(windows(&mut gradient, 5, 50_000, 200) < 140);
        assert!(windows(&mut gradient, 40, 50_000, 200) < 60);
    }

    #[test]
    fn a_little_longer_is_tolerated() {
        let mut gradient = fresh();
        windows(&mut gradient, 100, 5_000, 200);
        let before = gradient.limit();
        assert!(windows(&mut gradient, 10, 7_000, 200) > before);
    }

    #[test]
    fn it_does_not_change_while_less_than_half_of_it_is_used() {
        let mut gradient = fresh();
        assert_eq!(windows(&mut gradient, 100, 5_000, 9), 20);
        assert_eq!(windows(&mut gradient, 1, 5_000, 11), 20);
        assert_eq!(windows(&mut gradient, 1, 5_000, 11), 21);
    }

    #[test]
    fn calls_of_one_kind_are_compared_with_their_own_kind() {
        // Many more slow calls come, none takes longer than before.
        let mixed = |slow: u64| {
            let mut window = window(20, 1_000, 200);
            window.samples[0] = Sample { count: slow, took: slow * 100_000 };
            window
        };
        let mut gradient = fresh();
        (0..50).for_each(|_| _ = gradient.update(&mixed(1)));
        let before = gradient.limit();
        (0..50).for_each(|_| _ = gradient.update(&mixed(500)));
        assert!(gradient.limit() > before);
    }

    fn any_window() -> impl Strategy<Value = Window> {
        let sample = (0..1_000_u64, 0..10_000_000_u64).prop_map(|(count, took)| Sample { count, took: count * took });
        (proptest::array::uniform4(sample), 0..10_000_usize).prop_map(|(samples, peak)| Window { samples, peak })
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_whatever_is_measured(windows in proptest::collection::vec(any_window(), 1..200)) {
            let mut gradient = fresh();
            for window in &windows {
                let limit = gradient.update(window);
                prop_assert!((20..=200).contains(&limit));
                prop_assert!(gradient.limit.is_finite());
            }
        }

        #[test]
        fn a_window_of_slower_calls_never_leads_to_a_higher_limit(
            windows in proptest::collection::vec(any_window(), 0..50), took in 1..1_000_000_u64, more in 0..1_000_000_u64,
        ) {
            let mut quick = fresh();
            windows.iter().for_each(|window| _ = quick.update(window));
            let mut slow = quick.clone();
            prop_assert!(slow.update(&window(10, took + more, 500)) <= quick.update(&window(10, took, 500)));
        }

        #[test]
        fn it_never_grows_by_more_than_a_step(windows in proptest::collection::vec(any_window(), 1..50)) {
            let mut gradient = fresh();
            for window in &windows {
                let before = gradient.limit;
                gradient.update(window);
                prop_assert!(gradient.limit <= before + 4.0 * SMOOTHING + 1e-9);
            }
        }
    }
}
