//! The chains: ordered handlers, written out or as an edit of another chain.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::names;
use crate::conf::build::BuildError;
use crate::conf::suggest;

/// The ordered handlers that calls pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Chains {
    /// The chains of calls that come in. `default` is for operations that name no other, `unmatched` for calls that
    /// match no operation; without it they pass `default`. Where nothing is said of `default` it is `[tracing]`; `[]` is
    /// a chain of nothing.
    pub provider: BTreeMap<String, ChainConf>,
}

/// The chain of operations that name no other.
pub const DEFAULT: &str = "default";
/// What is in it where nothing is said.
const UNSAID: [&str; 1] = ["tracing"];
/// The chain of calls that match no operation.
pub const UNMATCHED: &str = "unmatched";

/// The handlers in the order they run, or what is different from another chain:
/// `{ extends: default, remove: [cors], add: [{ handler: audit, after: auth }] }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ChainConf {
    /// The handlers in the order they run.
    List(#[schemars(schema_with = "names::handlers")] Vec<String>),
    /// Another chain with some handlers more or fewer.
    Edit(Edit),
}

/// Another chain with some handlers more or fewer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Edit {
    /// The chain to start from.
    pub extends: String,
    /// What to leave out.
    #[serde(default)]
    #[schemars(schema_with = "names::handlers")]
    pub remove: Vec<String>,
    /// What to put in, one after the other.
    #[serde(default)]
    pub add: Vec<Addition>,
}

/// A handler to put into a chain: before or after another, or first or last. Last if nothing is said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Addition {
    /// The handler.
    #[schemars(schema_with = "names::handler")]
    pub handler: String,
    /// The handler it stands right before.
    #[serde(default)]
    #[schemars(schema_with = "names::anchor")]
    pub before: Option<String>,
    /// The handler it stands right after.
    #[serde(default)]
    #[schemars(schema_with = "names::anchor")]
    pub after: Option<String>,
    /// One of the ends of the chain.
    pub at: Option<Spot>,
}

/// One of the ends of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// Outermost.
    First,
    /// Innermost, right before the operation.
    Last,
}

impl Chains {
    /// Every provider chain written out, `default` and `unmatched` always among them.
    ///
    /// # Errors
    /// Every edit that cannot be made, each under the key it is written below `chain`.
    pub fn provider(&self) -> Result<BTreeMap<String, Vec<String>>, Vec<BuildError>> {
        let (chains, errors) = self.written();
        if errors.is_empty() { Ok(chains) } else { Err(errors) }
    }

    /// The provider chains that can be written out, and every edit that cannot be made.
    pub(crate) fn written(&self) -> (BTreeMap<String, Vec<String>>, Vec<BuildError>) {
        let mut chains = BTreeMap::new();
        let mut errors = Vec::new();
        for name in self.provider.keys() {
            match self.written_out(name, &mut Vec::new()) {
                Ok(handlers) => drop(chains.insert(name.clone(), handlers)),
                Err(found) => found.into_iter().map(|error| error.below("provider")).for_each(|error| {
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                }),
            }
        }
        let default = chains.entry(DEFAULT.to_owned()).or_insert_with(unsaid).clone();
        chains.entry(UNMATCHED.to_owned()).or_insert(default);
        (chains, errors)
    }

    /// Every handler that some chain lists or adds.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &str> {
        let listed = self.provider.values().flat_map(|chain| match chain {
            ChainConf::List(handlers) => handlers.iter().collect::<Vec<_>>(),
            ChainConf::Edit(edit) => edit.add.iter().map(|one| &one.handler).collect(),
        });
        listed.map(String::as_str)
    }

    /// Every handler that is named anywhere.
    pub(crate) fn handlers(&self) -> impl Iterator<Item = &str> {
        self.provider
            .values()
            .flat_map(|chain| match chain {
                ChainConf::List(handlers) => handlers.iter().collect::<Vec<_>>(),
                ChainConf::Edit(edit) => {
                    let added =
                        edit.add.iter().flat_map(|one| [Some(&one.handler), one.before.as_ref(), one.after.as_ref()]);
                    edit.remove.iter().chain(added.flatten()).collect()
                }
            })
            .map(String::as_str)
    }

    fn written_out<'a>(&'a self, name: &'a str, under_way: &mut Vec<&'a str>) -> Result<Vec<String>, Vec<BuildError>> {
        let edit = match self.provider.get(name) {
            None => return Ok(unsaid()),
            Some(ChainConf::List(handlers)) => return Ok(handlers.clone()),
            Some(ChainConf::Edit(edit)) => edit,
        };
        under_way.push(name);
        let at = format!("{name}.extends");
        if let Some(start) = under_way.iter().position(|other| *other == edit.extends) {
            return Err(circle(&under_way[start..], start).into_iter().collect());
        }
        if edit.extends != DEFAULT && !self.provider.contains_key(&edit.extends) {
            let known = self.provider.keys().map(String::as_str).chain([DEFAULT]);
            let error = BuildError::new(at, format!("there is no chain `{}`", edit.extends));
            return Err(vec![error.with_help(suggest::among(&edit.extends, known, "the chains are"))]);
        }
        let chain = self.written_out(&edit.extends, under_way)?;
        edit.apply(chain).map_err(|errors| errors.into_iter().map(|error| error.below(name)).collect())
    }
}

fn unsaid() -> Vec<String> {
    UNSAID.map(str::to_owned).to_vec()
}

/// What is wrong with chains that extend one another, said once: of the first of them by name, and where
/// the way from there leads back to it.
fn circle(names: &[&str], start: usize) -> Option<BuildError> {
    let first = names.first().filter(|first| start == 0 && names.iter().all(|name| name >= *first))?;
    let way = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" extends ");
    let error =
        BuildError::new(format!("{first}.extends"), format!("{way} extends `{first}`: a chain cannot extend itself"));
    Some(error.with_help("write one of them out as a list"))
}

impl Edit {
    fn apply(&self, mut chain: Vec<String>) -> Result<Vec<String>, Vec<BuildError>> {
        let mut errors = Vec::new();
        for (index, handler) in self.remove.iter().enumerate() {
            let length = chain.len();
            chain.retain(|other| other != handler);
            if chain.len() == length {
                errors.push(self.absent(handler, &chain, format!("remove[{index}]")));
            }
        }
        for (index, addition) in self.add.iter().enumerate() {
            let at = format!("add[{index}]");
            match self.place(addition, &chain) {
                Ok(place) => chain.insert(place, addition.handler.clone()),
                Err(error) => {
                    errors.push(error.below(&at));
                    // What is added next may stand beside it.
                    chain.push(addition.handler.clone());
                }
            }
        }
        if errors.is_empty() { Ok(chain) } else { Err(errors) }
    }

    fn place(&self, addition: &Addition, chain: &[String]) -> Result<usize, BuildError> {
        let find = |anchor: &String, key: &str, found: Option<usize>| {
            found.ok_or_else(|| self.absent(anchor, chain, key.to_owned()))
        };
        match (&addition.before, &addition.after, addition.at) {
            (Some(anchor), None, None) => find(anchor, "before", chain.iter().position(|name| name == anchor)),
            (None, Some(anchor), None) => {
                find(anchor, "after", chain.iter().rposition(|name| name == anchor)).map(|place| place + 1)
            }
            (None, None, Some(Spot::First)) => Ok(0),
            (None, None, Some(Spot::Last) | None) => Ok(chain.len()),
            _ => {
                let error = BuildError::new("", "a handler has one place in a chain, and more than one is said here");
                Err(error.with_help("keep one of `before`, `after` and `at`"))
            }
        }
    }

    fn absent(&self, handler: &str, chain: &[String], at: String) -> BuildError {
        let extended = &self.extends;
        if chain.is_empty() {
            let error =
                BuildError::new(at, format!("`{handler}` is not in the chain `{extended}`, which is empty here"));
            return error.with_help(format!("remove this, or list `{handler}` in chain.provider.{extended}"));
        }
        let error = BuildError::new(at, format!("`{handler}` is not in the chain `{extended}`"));
        let known = chain.iter().map(String::as_str);
        error.with_help(suggest::among(handler, known, "at this point it holds"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn provider(yaml: &Value) -> Result<BTreeMap<String, Vec<String>>, Vec<String>> {
        let chains: Chains = serde_json::from_value(json!({ "provider": yaml })).unwrap();
        chains.provider().map_err(|errors| {
            errors.into_iter().map(|error| format!("{error} ({})", error.help.clone().unwrap_or_default())).collect()
        })
    }

    fn check(edit: &Value, expected: Result<&[&str], &str>) {
        let found =
            provider(&json!({ "default": ["trace", "auth", "log"], "own": edit })).map(|chains| chains["own"].clone());
        let expected = expected.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expected.map_err(|error| vec![error.to_owned()]), "{edit}");
    }

    #[test]
    fn handlers_are_added_by_anchor_and_removed_by_name() {
        check(
            &json!({"extends": "default", "add": [{"handler": "x", "after": "auth"}]}),
            Ok(&["trace", "auth", "x", "log"]),
        );
        check(
            &json!({"extends": "default", "add": [{"handler": "x", "before": "trace"}]}),
            Ok(&["x", "trace", "auth", "log"]),
        );
        check(
            &json!({"extends": "default", "add": [{"handler": "x", "at": "first"}]}),
            Ok(&["x", "trace", "auth", "log"]),
        );
        check(&json!({"extends": "default", "add": [{"handler": "x"}]}), Ok(&["trace", "auth", "log", "x"]));
        check(&json!({"extends": "default", "remove": ["auth"]}), Ok(&["trace", "log"]));
        let both = json!({"extends": "default", "remove": ["log"], "add": [{"handler": "x"}, {"handler": "y", "before": "x"}]});
        check(&both, Ok(&["trace", "auth", "y", "x"]));
    }

    #[test]
    fn an_edit_that_cannot_be_made_is_an_error_at_its_key() {
        check(
            &json!({"extends": "default", "add": [{"handler": "x", "after": "auht"}]}),
            Err("`provider.own.add[0].after`: `auht` is not in the chain `default` (did you mean `auth`?)"),
        );
        check(
            &json!({"extends": "default", "remove": ["cors"]}),
            Err(
                "`provider.own.remove[0]`: `cors` is not in the chain `default` (at this point it holds `trace`, `auth`, `log`)",
            ),
        );
        check(
            &json!({"extends": "defualt"}),
            Err("`provider.own.extends`: there is no chain `defualt` (did you mean `default`?)"),
        );
        check(
            &json!({"extends": "own"}),
            Err(
                "`provider.own.extends`: `own` extends `own`: a chain cannot extend itself (write one of them out as a list)",
            ),
        );
        check(
            &json!({"extends": "default", "add": [{"handler": "x", "after": "auth", "at": "last"}]}),
            Err(
                "`provider.own.add[0]`: a handler has one place in a chain, and more than one is said here (keep one of `before`, `after` and `at`)",
            ),
        );
    }

    #[test]
    fn all_that_is_wrong_with_an_edit_is_said_at_once() {
        let edit = json!({"extends": "default", "remove": ["cors"], "add": [{"handler": "cors", "after": "nothing"}, {"handler": "x", "after": "cors"}]});
        let found = provider(&json!({"default": ["trace"], "own": edit, "more": {"extends": "own"}})).unwrap_err();
        let expected = [
            "`provider.own.remove[0]`: `cors` is not in the chain `default` (at this point it holds `trace`)",
            "`provider.own.add[0].after`: `nothing` is not in the chain `default` (at this point it holds `trace`)",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_can_be_taken_out_of_an_empty_chain() {
        let found = provider(&json!({"default": [], "own": {"extends": "default", "remove": ["cors"]}})).unwrap_err();
        let expected = "`provider.own.remove[0]`: `cors` is not in the chain `default`, which is empty here (remove \
                        this, or list `cors` in chain.provider.default)";
        assert_eq!(found, [expected]);
    }

    #[test]
    fn chains_that_extend_one_another_are_said_once() {
        let chains = json!({"b": {"extends": "c"}, "c": {"extends": "b"}, "a": {"extends": "b"}});
        let expected = "`provider.b.extends`: `b` extends `c` extends `b`: a chain cannot extend itself (write one of \
                        them out as a list)";
        assert_eq!(provider(&chains).unwrap_err(), [expected]);
    }

    #[test]
    fn unmatched_calls_pass_the_default_chain_unless_they_have_their_own() {
        let chains = provider(&json!({ "default": ["trace"] })).unwrap();
        assert_eq!(chains["unmatched"], ["trace"]);
        let chains = provider(&json!({ "default": ["trace"], "unmatched": [] })).unwrap();
        assert_eq!(chains["unmatched"], [""; 0]);
    }

    #[test]
    fn calls_are_traced_where_nothing_is_said_and_pass_nothing_where_that_is_said() {
        for unsaid in [json!({}), json!({ "own": [] })] {
            let chains = provider(&unsaid).unwrap();
            assert_eq!(
                (&*chains["default"], &*chains["unmatched"]),
                (&UNSAID.map(str::to_owned)[..], &UNSAID.map(str::to_owned)[..])
            );
        }
        assert_eq!(
            provider(&json!({ "own": { "extends": "default", "add": [{ "handler": "x" }] } })).unwrap()["own"],
            ["tracing", "x"]
        );
        assert_eq!(provider(&json!({ "default": [] })).unwrap()["default"], [""; 0]);
    }
}
