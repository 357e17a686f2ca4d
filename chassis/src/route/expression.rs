//! A regular expression that a path parameter must match from its first to its last character.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::ops::Range;

use percent_encoding::percent_decode;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::{primitives::StateID, start};
use regex_automata::{Anchored, meta};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, Look};

mod overlap;

/// How many bytes an automaton may take: most expressions need less than one tenth.
const AUTOMATON: usize = 1 << 14;
/// How many bytes the automaton of one that does not fit may take, for ASCII alone.
const ASCII_AUTOMATON: usize = 1 << 16;
/// How many bytes the program of one expression may take, which bounds what it costs to build.
const PROGRAM: usize = 1 << 23;

/// A compiled expression, shared between threads without locks.
///
/// A finite automaton looks up one table a byte and keeps nothing between calls. Where Unicode makes it too large, as
/// in `\w+`, there is one for ASCII, and a program for the values it gives up on.
#[derive(Debug)]
pub(super) struct Expression {
    automaton: Option<Automaton>,
    program: Option<Box<meta::Regex>>,
}

#[derive(Debug)]
struct Automaton {
    dfa: Box<dense::DFA<Vec<u32>>>,
    start: StateID,
}

/// The expressions of a table, each text once.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    all: Vec<Expression>,
    known: HashMap<String, Result<u32, String>>,
}

impl Expressions {
    /// Compiles an expression, unless it is known.
    ///
    /// # Errors
    /// Why it cannot be compiled.
    pub(super) fn add(&mut self, text: &str) -> Result<(), &str> {
        let made = self.known.entry(text.to_owned()).or_insert_with(|| {
            let hir = parse(text).map_err(|unusable| unusable.why)?;
            self.all.push(Expression::build(hir)?);
            Ok(self.all.len() as u32 - 1)
        });
        made.as_ref().map(|_| ()).map_err(String::as_str)
    }

    pub(super) fn number(&self, text: &str) -> Option<u32> {
        self.known.get(text)?.as_ref().ok().copied()
    }

    /// The expression of this text, if it can be used.
    pub(super) fn get(&self, text: &str) -> Option<&Expression> {
        self.all.get(self.number(text)? as usize)
    }

    pub(super) fn into_all(self) -> Vec<Expression> {
        self.all
    }
}

/// Why an expression cannot be used.
#[derive(Debug)]
pub(super) struct Unusable {
    /// Where in the expression.
    pub(super) span: Range<usize>,
    pub(super) why: String,
}

impl Expression {
    /// Compiles what [`parse`] gave.
    ///
    /// # Errors
    /// Why it cannot be compiled: its size, usually.
    pub(super) fn build(hir: Hir) -> Result<Self, String> {
        let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
        let conf = thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(PROGRAM));
        let nfa = thompson::Compiler::new().configure(conf).build_from_hir(&whole).map_err(|error| root(&error))?;
        let conf = dense::Config::new().start_kind(StartKind::Anchored).accelerate(false);
        if let Some(automaton) = Automaton::build(&nfa, conf.clone(), AUTOMATON) {
            return Ok(Self { automaton: Some(automaton), program: None });
        }
        let ascii = (0x80..=0xff).fold(conf, |conf, byte| conf.quit(byte, true));
        let conf = meta::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(PROGRAM));
        let program = meta::Builder::new().configure(conf).build_from_hir(&whole).map_err(|error| root(&error))?;
        Ok(Self { automaton: Automaton::build(&nfa, ascii, ASCII_AUTOMATON), program: Some(Box::new(program)) })
    }

    /// Whether the value, nothing escaped any more, matches as a whole.
    pub(super) fn matches(&self, value: &[u8], escaped: bool) -> bool {
        if escaped {
            return self.decide(percent_decode(value), || percent_decode(value).into());
        }
        self.decide(value.iter().copied(), || value.into())
    }

    fn decide<'v>(&self, bytes: impl Iterator<Item = u8>, whole: impl FnOnce() -> Cow<'v, [u8]>) -> bool {
        let decided = self.automaton.as_ref().and_then(|automaton| automaton.run(bytes));
        decided.unwrap_or_else(|| self.program.as_ref().is_some_and(|program| program.is_match(&whole())))
    }
}

/// The innermost cause, which is the one that says something.
fn root(mut error: &(dyn Error + 'static)) -> String {
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

impl Automaton {
    fn build(nfa: &NFA, conf: dense::Config, bytes: usize) -> Option<Self> {
        let conf = conf.dfa_size_limit(Some(bytes)).determinize_size_limit(Some(bytes));
        let dfa = dense::Builder::new().configure(conf).build_from_nfa(nfa).ok()?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(Self { dfa: Box::new(dfa), start })
    }

    /// Whether it matches; `None` if it gave up.
    fn run(&self, value: impl Iterator<Item = u8>) -> Option<bool> {
        let mut state = self.start;
        for byte in value {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_special_state(state) {
                match (self.dfa.is_dead_state(state), self.dfa.is_quit_state(state)) {
                    (true, _) => return Some(false),
                    (_, true) => return None,
                    _ => {}
                }
            }
        }
        Some(self.dfa.is_match_state(self.dfa.next_eoi_state(state)))
    }
}

/// Reads an expression; it must be able to match something.
pub(super) fn parse(text: &str) -> Result<Hir, Unusable> {
    let hir = ParserBuilder::new().build().parse(text).map_err(|error| syntax(text, &error))?;
    let whole = |why: &str| Unusable { span: 0..text.len(), why: why.to_owned() };
    match hir.properties().minimum_len() {
        None => Err(whole("nothing can match it")),
        Some(_) if hir.properties().maximum_len() == Some(0) => Err(whole("only an empty value matches it")),
        Some(_) => Ok(hir),
    }
}

fn syntax(text: &str, error: &regex_syntax::Error) -> Unusable {
    let (span, why) = match error {
        regex_syntax::Error::Parse(error) => (error.span(), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (error.span(), error.kind().to_string()),
        _ => return Unusable { span: 0..text.len(), why: error.to_string() },
    };
    Unusable { span: span.start.offset..span.end.offset, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, value: &str) -> bool {
        let expression = Expression::build(parse(expression).unwrap()).unwrap();
        expression.matches(value.as_bytes(), value.contains('%'))
    }

    #[test]
    fn the_whole_value_must_match_however_the_expression_is_anchored() {
        for digits in ["[0-9]+", "^[0-9]+$", "^[0-9]+", "[0-9]+$", r"\A[0-9]+\z", "[0-9]|[0-9]{2,}"] {
            assert!(matches(digits, "12"), "{digits}");
            assert!(!matches(digits, "12ab") && !matches(digits, "ab12"), "{digits}");
        }
        assert!(matches("a|ab", "ab") && !matches("a|ab", "abc"));
    }

    #[test]
    fn flags_and_comments_of_the_author_end_with_the_expression() {
        assert!(matches("(?i)^hello$", "HeLLo"));
        assert!(matches("(?x) [0-9]+ # an id", "12") && !matches("(?x) [0-9]+ # an id", "12a"));
        assert!(!matches("(?m)^a$", "a%0Ab"));
    }

    #[test]
    fn the_decoded_value_is_matched() {
        assert!(matches("[a-z ]+", "hello%20world"));
        assert!(!matches("[^.]+", "%2e%2e"), "an escape must not carry past an expression what it forbids");
        assert!(matches("é+", "%C3%A9é") && !matches(".", "%ff"));
    }

    #[test]
    fn what_makes_too_large_an_automaton_still_matches() {
        let large = r"\w+";
        let built = Expression::build(parse(large).unwrap()).unwrap();
        assert!(built.automaton.is_some() && built.program.is_some());
        assert!(matches(large, "a_1") && matches(large, "é1") && matches(large, "%C3%A91"));
        assert!(
            !matches(large, "a-1") && !matches(large, "é-1") && !matches(large, "%C3%A9-1") && !matches(large, "%ff")
        );

        let huge = r"(?:\w\d){20,30}";
        let built = Expression::build(parse(huge).unwrap()).unwrap();
        assert!(built.program.is_some());
        assert!(matches(huge, &"é1".repeat(20)) && matches(huge, &"a1".repeat(30)) && !matches(huge, &"a1".repeat(19)));
    }

    #[test]
    fn usual_expressions_are_small_automata() {
        for usual in [r"\d+", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", ".+", r"[^/]+", "[A-Za-z0-9_.-]{1,128}"] {
            assert!(Expression::build(parse(usual).unwrap()).unwrap().program.is_none(), "{usual}");
        }
    }

    #[test]
    fn what_is_far_too_large_is_an_error() {
        assert!(Expression::build(parse(r"\w{1,2000}").unwrap()).unwrap_err().contains("limit"));
    }

    #[test]
    fn what_can_match_nothing_is_unusable() {
        let why = |text: &str| parse(text).map(|_| ()).unwrap_err().why;
        assert_eq!(why("[a&&b]"), "nothing can match it");
        assert_eq!(why("^$"), "only an empty value matches it");
        assert_eq!((parse("ab[0-9").unwrap_err().span, why("ab[0-9").as_str()), (2..3, "unclosed character class"));
    }
}
