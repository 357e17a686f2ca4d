//! One call and several policies: it is counted by all of them, or by none.
//!
//! First all policies are asked, without a lock: who is refused, which is what a flood is, waits for nobody. Then the
//! places are held one by one, each is judged again, and only when the last of them agrees is anything counted. Nobody
//! else changes a place that is held, so a call that one policy refuses costs nothing with the others, not even for a
//! moment. All calls hold places in one order, that of the policies from the last to the first, so no two wait for each other.

use super::limit::{Chosen, Limit};
use super::refusal::Standing;
use crate::invocation::Invocation;

/// The policy that refused a call, and the TAT it saw.
#[derive(Clone, Copy)]
pub(super) struct Refused<'a> {
    limit: &'a Limit,
    tat: u64,
}

/// The places of the policies that were asked already, the latest first. It lives on the stack: nothing is allocated.
pub(super) struct Asked<'a, 'b> {
    chosen: Chosen<'a>,
    earlier: Option<&'b Asked<'a, 'b>>,
}

/// Counts the call by all policies, or by none and says which refused.
pub(super) fn take<'a>(
    limits: &'a [Limit],
    invocation: &Invocation,
    now: u64,
    earlier: Option<&Asked<'a, '_>>,
) -> Result<(), Refused<'a>> {
    let Some((first, rest)) = limits.split_first() else { return commit(earlier, now) };
    let Some(chosen) = first.choose(invocation) else { return take(rest, invocation, now, earlier) };
    conforming(&chosen, chosen.place.peek(), now)?;
    take(rest, invocation, now, Some(&Asked { chosen, earlier }))
}

/// Holds the places, the latest first, and counts when the last of them agrees.
fn commit<'a>(asked: Option<&Asked<'a, '_>>, now: u64) -> Result<(), Refused<'a>> {
    let Some(Asked { chosen, earlier }) = asked else { return Ok(()) };
    let seat = chosen.place.seat(now);
    conforming(chosen, seat.before(), now)?;
    commit(*earlier, now)?;
    let next = chosen.quota.gcra.commit(seat.before(), now, chosen.cost);
    seat.commit(next);
    Ok(())
}

fn conforming<'a>(chosen: &Chosen<'a>, tat: u64, now: u64) -> Result<(), Refused<'a>> {
    let conforms = chosen.quota.gcra.conforms(tat, now, chosen.cost);
    if conforms { Ok(()) } else { Err(Refused { limit: chosen.limit, tat }) }
}

/// How all policies stand to a call that was counted, or that one of them refused.
pub(super) fn standings<'a>(
    limits: &'a [Limit],
    invocation: &Invocation,
    now: u64,
    refused: Option<Refused<'a>>,
) -> Vec<Standing<'a>> {
    let chosen = limits.iter().filter_map(|limit| limit.choose(invocation));
    let standing = |chosen: Chosen<'a>| {
        let decision = match refused {
            Some(refused) if std::ptr::eq(refused.limit, chosen.limit) => chosen.outlook(refused.tat, now),
            // Others may refuse as well; where they do not, nothing was taken.
            Some(_) => Some(chosen.outlook(chosen.place.peek(), now))
                .filter(|outlook| !outlook.allowed)
                .unwrap_or_else(|| chosen.standing(now)),
            None => chosen.standing(now),
        };
        Standing { chosen, decision }
    };
    chosen.map(standing).collect()
}
