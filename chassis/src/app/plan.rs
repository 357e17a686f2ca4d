//! Turns what configuration says about chains into a ready chain for every operation, or says all that is wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::instances::{Instances, Key};
use super::marks::{self, Marks, Sought};
use super::proof;
use super::proven::Given;
use super::terms::{sparing, terms, weakness};
use super::unused;
use crate::catalog::{Built, Catalog, HandlerEntry};
use crate::chain::{Chain, MOST_STEPS, Step};
use crate::conf::root::{ChainConf, DEFAULT, Settled, Timeout, UNMATCHED};
use crate::conf::{BuildError, Conf, Interval, Problem, Section, suggest};
use crate::handler::fact;
use crate::operation::{Operation, Text};
use crate::provider::Preflight;

/// A chain for every operation.
pub(crate) struct Plan {
    pub(crate) operations: Vec<Planned>,
    pub(crate) unmatched: Planned,
    /// The chain of unmatched calls without those who answer preflights.
    pub(crate) ungranted: Chain,
    pub(crate) instances: Instances,
}

/// An operation as it is configured, and what runs before it.
#[derive(Clone)]
pub(crate) struct Planned {
    pub(crate) operation: Operation,
    pub(crate) chain: Chain,
    /// What a preflight about it passes, if a handler of its chain answers preflights.
    pub(crate) preflight: Option<Preflight>,
}

/// Makes the plan.
///
/// # Errors
/// Everything that is wrong with chains, their order, and the configuration of handlers.
pub(super) fn plan(operations: &[Operation], given: Given<'_>, instances: Instances) -> Result<Plan, Vec<Problem>> {
    let Given { catalog, conf, may_grow, .. } = given;
    let mut planner = Planner { conf, catalog, instances, problems: Vec::new(), sought: Sought::default() };
    let chains = planner.chains();
    let settled: Vec<Operation> = operations.iter().filter_map(|one| planner.settle(one, &chains)).collect();
    let users = users(conf, &settled, &chains);
    let mut planned: Vec<_> =
        settled.iter().filter_map(|operation| planner.operation(operation, &chains, &users)).collect();
    let unmatched = planner.unmatched(&chains, &users);
    planner.settle_marks(may_grow);
    planner.problems.extend(unused::problems(conf, catalog, &settled, &chains));
    match (planner.problems.is_empty(), unmatched) {
        (true, Some((unmatched, ungranted))) => {
            let preflights = planned.iter_mut().filter_map(|planned| planned.preflight.as_mut());
            preflights.for_each(|preflight| preflight.goes_on(&ungranted));
            Ok(Plan { operations: planned, unmatched, ungranted, instances: planner.instances })
        }
        _ => Err(planner.problems),
    }
}

type Chains = BTreeMap<String, Vec<&'static HandlerEntry>>;

/// The operations that share a handler.
type Users<'a> = HashMap<Key, Vec<&'a Operation>>;

fn users<'a>(conf: &Conf, operations: &'a [Operation], chains: &Chains) -> Users<'a> {
    let mut users = Users::new();
    for operation in operations {
        for entry in chains.get(chain_name(operation)).into_iter().flatten() {
            let key = Key::new(entry.head.name, &conf.handler_for(entry.head.name, &operation.id));
            users.entry(key).or_default().push(operation);
        }
    }
    users
}

pub(super) fn chain_name(operation: &Operation) -> &str {
    operation.chain.as_deref().unwrap_or(DEFAULT)
}

struct Planner<'a> {
    conf: &'a Conf,
    catalog: &'a Catalog,
    instances: Instances,
    problems: Vec<Problem>,
    sought: Sought,
}

impl Planner<'_> {
    /// Finds the handlers of every chain and proves their order.
    fn chains(&mut self) -> Chains {
        let mut chains = Chains::new();
        for (name, handlers) in &self.conf.chains {
            // Names that no handler has were refused, with their places, when the configuration was checked.
            let known = |(at, handler): (usize, &String)| Some((at, self.catalog.handler(handler)?));
            let (places, entries): (Vec<_>, Vec<_>) = handlers.iter().enumerate().filter_map(known).unzip();
            // Without a chain of its own, what is wrong with `unmatched` was said of `default` already.
            if name != UNMATCHED || self.conf.root.chain.provider.contains_key(UNMATCHED) {
                let mut errors = proof::places(name, &entries);
                if !self.conf.is_broken_chain(name) {
                    errors.extend(proof::order(name, &entries, self.catalog));
                    let extended = self.extended(name);
                    errors.retain(|(_, error)| !extended.contains(error));
                }
                let below_step = |(at, error): (usize, _)| self.below_step(name, places[at], error);
                let errors: Vec<_> = errors.into_iter().map(below_step).collect();
                self.refuse(name, &errors);
            }
            chains.insert(name.clone(), entries);
        }
        chains
    }

    /// What is wrong already with the chain that this one extends: it is said there.
    fn extended(&self, name: &str) -> Vec<BuildError> {
        let Some(ChainConf::Edit(edit)) = self.conf.root.chain.provider.get(name) else { return Vec::new() };
        let handlers = self.conf.chains.get(&edit.extends).into_iter().flatten();
        let entries: Vec<_> = handlers.filter_map(|handler| self.catalog.handler(handler)).collect();
        let errors = proof::places(name, &entries).into_iter().chain(proof::order(name, &entries, self.catalog));
        errors.map(|(_, error)| error).collect()
    }

    /// Applies what configuration says about an operation, and proves that its chain fits.
    fn settle(&mut self, declared: &Operation, chains: &Chains) -> Option<Operation> {
        let mut operation = declared.clone();
        let settled = self.conf.settled(&operation.id);
        if let Some(chain) = &settled.chain {
            operation.chain = Some(Text::Owned(chain.clone()));
        }
        if let Some((pattern, policy)) = &settled.access {
            match policy.apply(&operation.access) {
                Ok(access) => operation.access = access,
                Err(error) => self.problems.push(not_granted(self.conf, &operation, pattern, error)),
            }
        }
        let name = chain_name(&operation);
        let broken = self.conf.is_broken_chain(name) || self.conf.is_chain_lost(&operation.id);
        let Some(entries) = chains.get(name) else {
            if !broken {
                self.problems.push(unknown_chain(self.conf, &operation, name, &settled));
            }
            return None;
        };
        if !broken {
            let weak = |entry: &HandlerEntry| weakness(&self.conf.handler_for(entry.head.name, &operation.id));
            let errors = proof::fit(name, entries, &operation, self.catalog, &weak);
            self.refuse(name, &errors);
        }
        let own = operation.timeout.map(|timeout| Timeout(Some(Interval(timeout))));
        operation.timeout = settled.timeout.or(own).unwrap_or(self.conf.root.timeout).limit();
        Some(operation)
    }

    fn operation(&mut self, operation: &Operation, chains: &Chains, users: &Users<'_>) -> Option<Planned> {
        let name = chain_name(operation);
        let sections = |handler: &str| self.conf.handler_for(handler, &operation.id);
        let entries = chains.get(name)?;
        let (chain, unmet) = self.build(name, entries, sections, users);
        // Operations that share what is said about a handler, and their chain, share what is wrong with it.
        self.add(unmet);
        let chain = chain?;
        let answering = entries.iter().rposition(|entry| entry.preflight);
        let preflight = answering.map(|last| Preflight::as_far_as(&chain, last));
        Some(Planned { operation: operation.clone(), chain, preflight })
    }

    /// The chain of calls that match nothing, and the same without those who answer preflights.
    fn unmatched(&mut self, chains: &Chains, users: &Users<'_>) -> Option<(Planned, Chain)> {
        let sections = |handler: &str| self.conf.handler(handler);
        let entries = chains.get(UNMATCHED)?;
        let chain = self.build(UNMATCHED, entries, sections, users).0?;
        let others = chain.steps.iter().zip(entries).filter(|(_, entry)| !entry.preflight);
        let ungranted = Chain { steps: others.map(|(step, _)| step.clone()).collect(), ..chain.clone() };
        let timeout = self.conf.root.timeout.limit();
        let operation = Operation { timeout, ..Operation::new("", "", "*", "") };
        Some((Planned { operation, chain, preflight: None }, ungranted))
    }

    /// Builds a chain, and says what its handlers require for their configuration and do not get.
    fn build<'s>(
        &mut self,
        name: &str,
        entries: &[&HandlerEntry],
        sections: impl Fn(&str) -> Section<'s>,
        users: &Users<'_>,
    ) -> (Option<Chain>, Vec<Problem>) {
        if entries.len() > MOST_STEPS {
            let message = format!("chain `{name}` lists {} handlers; a chain has at most {MOST_STEPS}", entries.len());
            self.refuse(name, &[BuildError::new("", message).with_help("let one handler do what several do here")]);
            return (None, Vec::new());
        }
        let (mut steps, mut unmet) = (Vec::with_capacity(entries.len()), Vec::new());
        let whole = !self.conf.is_broken_chain(name);
        let mut marks = Marks::default();
        for (at, entry) in entries.iter().enumerate() {
            let section = sections(entry.head.name);
            if section.is_broken() {
                marks.lose(entry);
                continue;
            }
            match self.instances.take_or_build(entry, &section, users) {
                Ok(Built { form, requires, mut conditions, marks: own }) => {
                    let terms = match terms(&section, entry, &form, self.instances.tools()) {
                        Ok((terms, when)) => {
                            conditions.extend(when.map(|when| ("when".to_owned(), when)));
                            terms
                        }
                        Err(error) => {
                            marks.lose(entry);
                            self.problems.push(section.problem(&error));
                            continue;
                        }
                    };
                    if whole {
                        let idle = |entry: &HandlerEntry| sparing(&sections(entry.head.name));
                        let missing =
                            |required: &[_]| proof::configured(name, entries, at, (required, &idle), self.catalog);
                        let required: Vec<_> = requires.iter().map(|one| (one.fact, one.key)).collect();
                        unmet.extend(missing(&required).iter().map(|error| section.problem(error)));
                        // Of calls that match none it is not said either what else is not met.
                        let asked: Vec<_> = marks::required(&conditions).filter(|_| name != UNMATCHED).collect();
                        self.sought.note(&section, &conditions, &marks, &missing(&asked));
                    }
                    if entry.provides.contains(&fact::MARK) && sparing(&section).is_none() {
                        marks.give(own);
                    }
                    steps.push(Step { name: Arc::from(entry.head.name), form, terms });
                }
                Err(error) => {
                    marks.lose(entry);
                    self.problems.push(section.problem(&error));
                }
            }
        }
        let complete = steps.len() == entries.len();
        (complete.then(|| Chain { name: Arc::from(name), steps: Arc::from(steps) }), unmet)
    }

    /// Refuses conditions that no call can meet for want of a mark, and warns of marks that no call can have. Operations
    /// that are not there could have any of them.
    fn settle_marks(&mut self, may_grow: bool) {
        let (impossible, mut idle) = std::mem::take(&mut self.sought).settle();
        if may_grow {
            idle.extend(impossible);
        } else {
            self.add(impossible);
        }
        idle.iter().for_each(|problem| self.instances.tools().warnings.warn(problem.in_a_line()));
    }

    /// Notes what is wrong, each thing once.
    fn add(&mut self, problems: Vec<Problem>) {
        problems.into_iter().for_each(|problem| {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        });
    }

    /// Places an error at the step that it is about, where the chain is written as a list.
    fn below_step(&self, chain: &str, at: usize, error: BuildError) -> BuildError {
        match self.conf.root.chain.provider.get(chain) {
            Some(ChainConf::List(_)) => BuildError { at: format!("[{at}]"), ..error },
            _ => error,
        }
    }

    fn refuse(&mut self, chain: &str, errors: &[BuildError]) {
        let key = format!("chain.provider.{chain}");
        self.problems.extend(errors.iter().map(|error| self.conf.problem(&key, error)));
    }
}

/// What configuration says about a handler before an operation, or before calls that match none.
pub(crate) fn section<'a>(conf: &'a Conf, handler: &str, operation: Option<&Operation>) -> Section<'a> {
    match operation {
        Some(operation) => conf.handler_for(handler, &operation.id),
        None => conf.handler(handler),
    }
}

fn unknown_chain(conf: &Conf, operation: &Operation, chain: &str, settled: &Settled) -> Problem {
    // The pattern that names it is among those that match; without one, the operation itself does.
    let (key, place) = match (&settled.chain, settled.patterns.last()) {
        (Some(_), Some(pattern)) => (format!("operations.{pattern}.chain"), String::new()),
        _ => ("chain.provider".to_owned(), format!(" ({})", operation.location)),
    };
    let message = format!("`{}` asks for chain `{chain}`, which does not exist{place}", operation.id);
    let known = conf.chains.keys().map(String::as_str);
    let help = suggest::among(chain, known, "write it under chain.provider, or use one of");
    conf.problem(&key, &BuildError::new("", message).with_help(help))
}

/// What is wrong with what configuration says about who may call an operation.
fn not_granted(conf: &Conf, operation: &Operation, pattern: &str, error: BuildError) -> Problem {
    let message = format!("`{}`: {} ({})", operation.id, error.message, operation.location);
    conf.problem(&format!("operations.{pattern}.access"), &BuildError { message, ..error })
}
