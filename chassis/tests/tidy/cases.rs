//! Which cases of the text that lists them no test proves.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::source::Source;

/// Every row without a test, and every test that is named and is nowhere.
pub(crate) fn without_a_test(path: &Path, sources: &[Source]) -> Vec<String> {
    let functions = sources.iter().flat_map(|source| &source.facts.functions);
    let known: HashSet<_> = functions.map(|function| function.name.as_str()).collect();
    unproved(&fs::read_to_string(path).unwrap(), &known)
}

fn unproved(text: &str, known: &HashSet<&str>) -> Vec<String> {
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with("| ") && !line.starts_with("| case"));
    rows.flat_map(|(at, row)| {
        let proofs = row.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
        let named: Vec<_> = proofs.split('`').skip(1).step_by(2).collect();
        let nothing = named.is_empty().then(|| format!("line {}: no test is named", at + 1));
        let missing = named.into_iter().filter(|name| !known.contains(name));
        missing.map(move |name| format!("line {}: `{name}`", at + 1)).chain(nothing).collect::<Vec<_>>()
    })
    .collect()
}

#[test]
fn a_row_without_a_test_is_found() {
    let text = "| case | chassis | test |\n|---|---|---|\n| a | `x` is b | `known`, `gone` |\n| c | d | |\n| e | f | `known` |\n";
    assert_eq!(unproved(text, &HashSet::from(["known"])), ["line 3: `gone`", "line 4: no test is named"]);
}
