//! Says in plain words what the YAML parser could not read.

use std::sync::Arc;

use saphyr_parser::ScanError;

use super::builder::too_deep;
use super::place;
use crate::conf::origin::Text;
use crate::conf::path::KeyPath;
use crate::conf::problem::Problem;

/// Part of what the parser says, what that means, and the usual remedy. The first that fits is taken.
const MEANINGS: [(&str, &str, &str); 17] = [
    ("tab", "a tab is used for indentation", "indent with spaces"),
    ("unknown anchor", "there is no anchor of this name above", "an alias `*name` repeats what `&name` marks"),
    ("unexpected end of stream", "a quote that is opened here is never closed", "close it on the same line"),
    ("unexpected document indicator", "a quote that is opened here is never closed", "close it on the same line"),
    ("escape character", "no such escape is known", "write `\\\\` for a backslash, or use single quotes"),
    ("Unicode character escape", "no such character exists", "write `\\\\` for a backslash, or use single quotes"),
    ("unexpected character", "a value cannot start with this character", "put the value in quotes"),
    ("values are not allowed", "a `:` is not allowed here", "put a value that contains `: ` in quotes"),
    ("placement of ':'", "a `:` is not allowed here", "is a `]` or a `}` missing before it?"),
    ("in flow construct", "this is indented less than what it belongs to", "is a `]` or a `}` missing before it?"),
    ("simple key", "a key without a `:`", "write `key: value`, or `- value` in a list"),
    ("expected key", "the indentation fits no line above", "indent it like the keys it belongs beside"),
    ("node content", "a value is missing here", "is a `[` or a `{` before it not closed?"),
    ("',' or '}'", "a `{` before this is not closed", "write the `}` that closes it, or a `,` before the next key"),
    ("',' or ']'", "a `[` before this is not closed", "write the `]` that closes it, or a `,` before the next item"),
    ("<document start>", "no `key: value` line can stand here", "is it a YAML file? indent it like the lines above"),
    ("bracket", "a bracket that was not opened is closed here", "remove it, or put the value in quotes"),
];

/// What is wrong with a text that is not YAML.
pub(super) fn malformed(text: &Arc<Text>, error: &ScanError) -> Problem {
    let marker = error.marker();
    let origin = place(text, marker.line(), marker.col() + 1, 1);
    let problem = |message: &str| Problem::new(&origin, &KeyPath::root(), message);
    if error.info().contains("recursion limit") {
        return too_deep(&origin);
    }
    if text.line(marker.line()).is_some_and(|line| line.contains("${")) {
        return problem("this is not YAML: `${…}` is taken for the start of a map here").with_help(
            "write the keys on lines of their own, without brackets, or put a value that is a text in quotes",
        );
    }
    match MEANINGS.iter().find(|(said, _, _)| error.info().contains(said)) {
        Some((_, means, help)) => problem(&format!("this is not YAML: {means}")).with_help(*help),
        None => problem(&format!("this is not YAML: {}", error.info()))
            .with_help("look at the indentation and the quotes of this line and the one before"),
    }
}
