//! How long files and functions are, and how a file begins.

use crate::facts::Function;
use crate::source::Source;

const LINES_OF_A_FILE: usize = 300;
const LINES_OF_A_FUNCTION: usize = 60;

pub(crate) fn missing_head(source: &Source) -> Vec<String> {
    let head: Vec<_> = source.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let paragraph = head.iter().take_while(|line| !line.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let problem = match (paragraph.is_empty(), paragraph.ends_with(['.', ':', '!', '?'])) {
        (true, _) => "no `//!` line",
        (false, false) => "the first paragraph is not a sentence",
        (false, true) => return Vec::new(),
    };
    vec![source.at(1, problem)]
}

pub(crate) fn long_files(source: &Source) -> Vec<String> {
    if source.is_test {
        return Vec::new();
    }
    let lines = (1..=source.text.lines().count()).filter(|line| !source.in_test(*line)).count();
    if lines > LINES_OF_A_FILE { vec![source.at(1, format!("{lines} lines"))] } else { Vec::new() }
}

pub(crate) fn long_functions(source: &Source) -> Vec<String> {
    if source.is_test {
        return Vec::new();
    }
    let is_long = |function: &&Function| function.lines > LINES_OF_A_FUNCTION && !source.in_test(function.line);
    let offences = source.facts.functions.iter().filter(is_long);
    offences.map(|function| source.at(function.line, format!("{}: {} lines", function.name, function.lines))).collect()
}

#[test]
fn a_long_function_is_found_and_a_test_is_not() {
    let body = "    f();\n".repeat(60);
    let text = format!("//! A.\nfn f() {{\n{body}}}\n#[cfg(test)]\nmod tests {{\nfn g() {{\n{body}}}\n}}\n");
    let source = Source::parse("chassis/src/x.rs".to_owned(), text);
    assert_eq!(long_functions(&source), ["chassis/src/x.rs:2: f: 62 lines"]);
    assert!(long_files(&source).is_empty());
}

#[test]
fn a_head_is_a_sentence() {
    let problem = |text: &str| missing_head(&Source::parse("chassis/src/x.rs".to_owned(), text.to_owned())).len();
    assert_eq!((problem("//! Says it.\n"), problem("//! says nothing\n"), problem("fn f() {}\n")), (0, 1, 1));
}
