//! How a text is compared with what YAML says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_syntax::hir::{Hir, Look};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::custom::{self, Comparison};
use crate::conf::{BuildError, Size};

/// What a text must be: the same text, or what some operators say.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Test {
    /// The text itself.
    Exact(String),
    /// What all of these operators say.
    Operators(Box<Operators>),
}

/// Operators on a text; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[schemars(extend("x-narrows" = true))]
pub struct Operators {
    /// The text it is.
    pub exact: Option<String>,
    /// The text it is not; of several values none is.
    pub not: Option<String>,
    /// The texts, one of which it is.
    #[serde(rename = "in")]
    pub one_of: Option<Vec<String>>,
    /// What it begins with.
    pub prefix: Option<String>,
    /// What it ends with.
    pub suffix: Option<String>,
    /// What is somewhere in it.
    pub contains: Option<String>,
    /// The [expression](https://docs.rs/regex/latest/regex/#syntax) that matches all of it.
    pub regex: Option<String>,
    /// The number it is below.
    pub less: Option<f64>,
    /// The number it is not above.
    pub at_most: Option<f64>,
    /// The number it is above.
    pub greater: Option<f64>,
    /// The number it is not below.
    pub at_least: Option<f64>,
    /// Whether it is there at all.
    pub present: Option<bool>,
    /// Operators that the service brings along, each with what it compares with: `{ since: '1.4' }`.
    #[schemars(schema_with = "custom::schema")]
    pub custom: BTreeMap<String, Value>,
    /// Whether upper and lower case are the same. It holds for all operators on text beside it; those of `custom` are
    /// handed the text in small letters.
    pub ignore_case: bool,
}

/// How large an expression may become, in bytes.
const EXPRESSION_BYTES: usize = 1 << 20;

/// A test that is ready to be made.
pub(super) struct Compiled {
    present: Option<bool>,
    ignore_case: bool,
    checks: Vec<Check>,
}

pub(super) enum Check {
    Exact(String),
    Not(String),
    OneOf(Vec<String>),
    Prefix(String),
    Suffix(String),
    Contains(String),
    Regex(Box<Regex>),
    Less(f64),
    AtMost(f64),
    Greater(f64),
    AtLeast(f64),
    Custom(Comparison),
    Denying(Comparison),
}

impl Test {
    /// The same with other texts: whole ones and parts. Expressions stay what they are.
    pub(super) fn spelled(&self, whole: &dyn Fn(&String) -> String, part: &dyn Fn(&String) -> String) -> Self {
        match self {
            Self::Exact(text) => Self::Exact(whole(text)),
            Self::Operators(operators) => Self::Operators(Box::new(operators.spelled(whole, part))),
        }
    }

    pub(super) fn build(&self) -> Result<Compiled, BuildError> {
        match self {
            Self::Exact(text) => {
                Ok(Compiled { present: None, ignore_case: false, checks: vec![Check::Exact(text.clone())] })
            }
            Self::Operators(operators) => operators.build(),
        }
    }
}

impl Operators {
    /// The same with other texts: whole ones and parts.
    fn spelled(&self, whole: &dyn Fn(&String) -> String, part: &dyn Fn(&String) -> String) -> Self {
        Self {
            exact: self.exact.as_ref().map(whole),
            not: self.not.as_ref().map(whole),
            one_of: self.one_of.as_ref().map(|texts| texts.iter().map(whole).collect()),
            prefix: self.prefix.as_ref().map(part),
            suffix: self.suffix.as_ref().map(part),
            contains: self.contains.as_ref().map(part),
            ..self.clone()
        }
    }

    fn build(&self) -> Result<Compiled, BuildError> {
        let fold = |text: &String| if self.ignore_case { text.to_lowercase() } else { text.clone() };
        let regex = self.regex.as_ref().map(|text| expression(text, self.ignore_case)).transpose()?;
        let checks = [
            self.exact.as_ref().map(|text| Check::Exact(fold(text))),
            self.not.as_ref().map(|text| Check::Not(fold(text))),
            self.one_of.as_ref().map(|texts| Check::OneOf(texts.iter().map(fold).collect())),
            self.prefix.as_ref().map(|text| Check::Prefix(fold(text))),
            self.suffix.as_ref().map(|text| Check::Suffix(fold(text))),
            self.contains.as_ref().map(|text| Check::Contains(fold(text))),
            regex.map(|regex| Check::Regex(Box::new(regex))),
            self.less.map(Check::Less),
            self.at_most.map(Check::AtMost),
            self.greater.map(Check::Greater),
            self.at_least.map(Check::AtLeast),
        ];
        let custom = self.custom.iter().map(|(name, value)| custom::build(name, value));
        let checks = checks.into_iter().flatten().map(Ok).chain(custom).collect::<Result<Vec<_>, _>>()?;
        self.can_hold(!checks.is_empty())?;
        if checks.is_empty() && self.present.is_none() {
            let error = BuildError::new("", "no operator says what to compare with");
            return Err(error.with_help("write `{ exact: TEXT }`, or `{ present: true }` for whatever is there"));
        }
        Ok(Compiled { present: self.present, ignore_case: self.ignore_case, checks })
    }

    /// What numbers are held against, each with its key.
    pub(super) fn bounds(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let keys = ["less", "at-most", "greater", "at-least"];
        let bounds = [self.less, self.at_most, self.greater, self.at_least];
        keys.into_iter().zip(bounds).filter_map(|(key, bound)| Some((key, bound?)))
    }

    /// Refuses what holds of nothing: whoever wrote it meant something else.
    fn can_hold(&self, compares: bool) -> Result<(), BuildError> {
        if self.present == Some(false) && compares {
            let error = BuildError::new("present", "what is not there cannot be compared as well");
            return Err(error.with_help("write `present: false` alone, or leave it out"));
        }
        if self.one_of.as_ref().is_some_and(Vec::is_empty) {
            let error = BuildError::new("in", "the list is empty, so that nothing is in it");
            return Err(error.with_help("list the texts that it may be, or write `{ present: false }`"));
        }
        if let Some((key, bound)) = self.bounds().find(|(_, bound)| bound.abs() >= EXACT) {
            let error = BuildError::new(key, format!("{bound} is too large to be compared exactly"));
            return Err(error.with_help(format!("numbers are compared below {EXACT}; compare larger ones as text")));
        }
        match self.opposed() {
            Some((low, high)) => {
                let error = BuildError::new(low, format!("no number is between `{low}` and `{high}`"));
                Err(error.with_help(format!("write a number for `{low}` that is below that of `{high}`")))
            }
            None => Ok(()),
        }
    }

    /// Two bounds that no number is within.
    fn opposed(&self) -> Option<(&'static str, &'static str)> {
        let lows = [("greater", self.greater), ("at-least", self.at_least)];
        let highs = [("less", self.less), ("at-most", self.at_most)];
        let mut pairs = lows.into_iter().flat_map(|low| highs.map(|high| (low, high)));
        pairs.find_map(|(low, high)| {
            let (least, most) = (low.1?, high.1?);
            let meet = if (low.0, high.0) == ("at-least", "at-most") { least <= most } else { least < most };
            (!meet).then_some((low.0, high.0))
        })
    }
}

/// From here on not every whole number is one that is compared.
const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;

fn expression(text: &str, ignore_case: bool) -> Result<Regex, BuildError> {
    let config = syntax::Config::new().case_insensitive(ignore_case);
    let inside = syntax::parse_with(text, &config).map_err(|error| no_expression(text, &error))?;
    // Between the ends, so that it matches all of a text or nothing.
    let whole = Hir::concat(vec![Hir::look(Look::Start), inside, Hir::look(Look::End)]);
    let configured = Regex::config().nfa_size_limit(Some(EXPRESSION_BYTES));
    let built = Regex::builder().configure(configured).build_from_hir(&whole);
    // What was parsed can only be too large.
    built.map_err(|_| {
        let most = Size(EXPRESSION_BYTES as u64);
        BuildError::new("regex", format!("`{text}` becomes larger than {most}"))
            .with_help("repeat less: `a{1000}` stands for a thousand `a`, and repetitions within each other multiply")
    })
}

fn no_expression(text: &str, error: &regex_syntax::Error) -> BuildError {
    let cause = match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    };
    BuildError::new("regex", format!("`{text}` is no expression: {cause}"))
        .with_help("a `\\` before a character takes it as it is; the syntax is that of the crate `regex`")
}

impl Compiled {
    /// Whether one of these texts passes, and none of them is what `not` says; without any, whether that is asked for.
    pub(super) fn holds(&self, texts: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
        let mut texts = texts.into_iter().peekable();
        match (self.present, texts.peek().is_some()) {
            (Some(false), there) => !there,
            (_, false) => false,
            (_, true) if self.checks.iter().any(Check::denies) => self.admits(texts),
            (_, true) => texts.any(|text| self.passes(text.as_ref())),
        }
    }

    /// Whether one of these texts passes where none may be what `not` says: nobody gets rid of that by sending another.
    fn admits(&self, texts: impl Iterator<Item = impl AsRef<str>>) -> bool {
        let mut one_passes = false;
        for text in texts {
            let text = self.folded(text.as_ref());
            let mut failed = self.checks.iter().filter(|check| !check.passes(&text)).peekable();
            one_passes |= failed.peek().is_none();
            if failed.any(Check::denies) {
                return false;
            }
        }
        one_passes
    }

    /// Whether a text passes that can be spelled in two ways: each operator by one of them, one that denies by both.
    pub(super) fn holds_spelled(&self, spellings: [&str; 2]) -> bool {
        let texts = spellings.map(|text| self.folded(text));
        let passes = |check: &Check| match check.denies() {
            true => texts.iter().all(|text| check.passes(text)),
            false => texts.iter().any(|text| check.passes(text)),
        };
        self.present != Some(false) && self.checks.iter().all(passes)
    }

    fn passes(&self, text: &str) -> bool {
        let text = self.folded(text);
        self.checks.iter().all(|check| check.passes(&text))
    }

    fn folded<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.ignore_case { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
    }
}

impl Check {
    /// Whether it must hold of all texts: of several some would be what it denies.
    fn denies(&self) -> bool {
        matches!(self, Self::Not(_) | Self::Denying(_))
    }

    fn passes(&self, text: &str) -> bool {
        let number = |fits: &dyn Fn(f64) -> bool| {
            text.trim().parse().is_ok_and(|number: f64| number.is_finite() && fits(number))
        };
        match self {
            Self::Exact(wanted) => text == wanted,
            Self::Not(unwanted) => text != unwanted,
            Self::OneOf(wanted) => wanted.iter().any(|wanted| text == wanted),
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::Contains(part) => text.contains(part),
            Self::Regex(regex) => regex.is_match(text),
            Self::Less(bound) => number(&|number| number < *bound),
            Self::AtMost(bound) => number(&|number| number <= *bound),
            Self::Greater(bound) => number(&|number| number > *bound),
            Self::AtLeast(bound) => number(&|number| number >= *bound),
            Self::Custom(compare) | Self::Denying(compare) => compare(text),
        }
    }
}
