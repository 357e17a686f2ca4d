//! `marker`: calls a call by a name, so that the policies of other handlers can speak of it.
//!
//! The first rule that fits, in the order they are written, gives its mark. Handlers behind this one are limited to
//! marked calls with `when: { mark: [gold] }`. A field of the request names the mark only where no rule fits and
//! `trust-header` says which field: a caller must not choose which policies hold for it.

#![expect(unsafe_code, reason = "the entry of a handler stands in a section of the linker")]

use std::sync::Arc;

use http::HeaderName;

use crate::condition::{Condition, UNMARKED, When};
use crate::conf::{BuildContext, BuildError, Configure};
use crate::handler::{Handler, Outlook, Verdict};
use crate::invocation::{Invocation, Mark};
use crate::{conf, handler};

/// The longest mark, in bytes.
const LONGEST: usize = 64;

/// How calls are called.
#[conf]
pub struct Conf {
    /// The rules, in order: the first that fits a call gives it its mark. One is written as
    /// `{ mark: gold, when: { header: { x-tenant: gold } } }`.
    #[conf(default)]
    pub rules: Vec<Rule>,
    /// The header field that names the mark of calls that no rule fits, such as `X-Mark`: 1 to 64 letters, digits or
    /// characters of `-._`. Only where a gateway in front sets or removes it: whoever sends it chooses which policies
    /// hold. No field does by default.
    pub trust_header: Option<String>,
}

/// A mark, and the calls that get it.
#[conf]
pub struct Rule {
    /// The mark: 1 to 64 letters, digits or characters of `-._`, and not `none`, which is what has no mark.
    pub mark: String,
    /// The calls that get it.
    pub when: When,
}

/// Calls a call by the name of the first rule that fits it, so that policies of the handlers behind can speak of it.
#[handler("marker", provides("mark"))]
pub struct Marker {
    rules: Vec<(Condition, Mark)>,
    trusted: Option<HeaderName>,
}

impl Configure for Marker {
    type Conf = Conf;

    fn build(conf: Conf, _: &BuildContext<'_>) -> Result<Self, BuildError> {
        let numbered = conf.rules.iter().enumerate();
        let rules = numbered.map(|(at, rule)| rule.build().map_err(|error| error.below(&format!("rules[{at}]"))));
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
            trusted: conf.trust_header.as_deref().map(field).transpose()?,
        })
    }

    fn conditions(conf: &Conf) -> Vec<(String, &When)> {
        conf.rules.iter().enumerate().map(|(at, rule)| (format!("rules[{at}].when"), &rule.when)).collect()
    }

    fn marks(conf: &Conf) -> Option<Vec<String>> {
        let ruled = || conf.rules.iter().map(|rule| rule.mark.clone()).collect();
        conf.trust_header.is_none().then(ruled)
    }
}

impl Handler for Marker {
    fn before(&self, invocation: &mut Invocation) -> Verdict {
        if invocation.call.may_act()
            && let Some(mark) = self.mark(invocation)
        {
            invocation.call.locals.set(mark);
        }
        Verdict::Continue
    }

    fn outlook(&self, invocation: &mut Invocation) -> Option<Outlook> {
        let Some(mark) = self.mark(invocation) else { return Some(Outlook::passing("passes without a mark")) };
        let words = format!("passes marked `{}`", mark.0);
        if invocation.call.may_act() {
            invocation.call.locals.set(mark);
        }
        Some(Outlook::passing(words))
    }
}

impl Marker {
    /// What the call is called; rules come first, so that no caller escapes one.
    fn mark(&self, invocation: &Invocation) -> Option<Mark> {
        let ruled = self.rules.iter().find(|(condition, _)| condition.holds(invocation));
        ruled.map(|(_, mark)| mark.clone()).or_else(|| self.sent(invocation))
    }

    /// The mark that the caller names, if it is trusted to, names one and names a sane one.
    fn sent(&self, invocation: &Invocation) -> Option<Mark> {
        let mut values = invocation.headers().get_all(self.trusted.as_ref()?).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok().filter(|text| is_sane(text)).map(|text| Mark(Arc::from(text)))
    }
}

impl Rule {
    fn build(&self) -> Result<(Condition, Mark), BuildError> {
        if !is_sane(&self.mark) {
            let error = BuildError::new("mark", format!("`{}` is no mark", self.mark));
            let help = "write 1 to 64 letters, digits or characters of `-._`; `none` is what has no mark";
            return Err(error.with_help(help));
        }
        let condition = self.when.build().map_err(|error| error.below("when"))?;
        Ok((condition, Mark(Arc::from(self.mark.as_str()))))
    }
}

fn field(text: &str) -> Result<HeaderName, BuildError> {
    text.parse().map_err(|_| {
        BuildError::new("trust-header", format!("`{text}` is not a header name"))
            .with_help("a header name has letters, digits and hyphens, such as `X-Mark`")
    })
}

fn is_sane(mark: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    mark != UNMARKED && (1..=LONGEST).contains(&mark.len()) && mark.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::conf::fixture::built;
    use crate::invocation::fixture;

    type Fields<'a> = &'a [(&'static str, &'a str)];

    fn marker(rules: &Value) -> Marker {
        built(json!({ "rules": rules })).unwrap()
    }

    fn mark(marker: &Marker, method: &str, uri: &str, fields: Fields<'_>) -> Option<String> {
        let mut call = fixture::call(fixture::request(method, uri));
        for (name, value) in fields {
            call.parts.headers.append(*name, value.parse().unwrap());
        }
        assert!(matches!(marker.before(&mut call), Verdict::Continue));
        call.call.locals.get::<Mark>().map(|Mark(mark)| mark.to_string())
    }

    fn check(rules: &Value, method: &str, uri: &str, fields: Fields<'_>, expected: Option<&str>) {
        assert_eq!(mark(&marker(rules), method, uri, fields).as_deref(), expected, "{method} {uri} {fields:?}");
    }

    /// The policy of the cases C12 and C13.
    fn several() -> Value {
        let first = json!({
            "method": ["GET"],
            "path": { "contains": "path/test" },
            "header": { "cookie": { "regex": "^(.*?;)?(user=jason)(;.*)?$" }, "user": "jason" },
        });
        json!([{ "mark": "P", "when": [first, { "path": "/test2" }] }])
    }

    #[test]
    fn c12_a_call_that_fits_a_part_of_an_entry_is_not_marked() {
        check(&several(), "GET", "/path/test", &[("user", "jason")], None);
    }

    #[test]
    fn c13_a_call_that_fits_all_of_one_entry_is_marked() {
        let fields = [("user", "jason"), ("cookie", "asdfojjsdof;user=jason;sfaoabc")];
        check(&several(), "GET", "/path/test", &fields, Some("P"));
        check(&several(), "POST", "/test2", &[], Some("P"));
    }

    #[test]
    fn c16_a_method_is_enough_of_a_rule() {
        let rules = json!([{ "mark": "P", "when": { "method": ["GET"] } }]);
        check(&rules, "GET", "/test", &[], Some("P"));
        check(&rules, "POST", "/test", &[], None);
    }

    #[test]
    fn c17_the_rule_that_fits_gives_its_mark() {
        let rules = json!([
            { "mark": "P", "when": { "method": ["GET"], "path": "/test" } },
            { "mark": "P2", "when": { "method": ["POST"] } },
        ]);
        check(&rules, "POST", "/test", &[], Some("P2"));
    }

    #[test]
    fn c18_a_parameter_of_the_query_is_compared() {
        let rules = json!([{ "mark": "P", "when": { "query": { "mait": { "suffix": "s" } } } }]);
        check(&rules, "GET", "/?mait=2s", &[], Some("P"));
        check(&rules, "GET", "/", &[], None);
    }

    #[test]
    fn c19_a_field_that_is_not_there_fits_nothing() {
        for test in [json!("a"), json!({ "not": "a" })] {
            check(&json!([{ "mark": "P", "when": { "header": { "x": test } } }]), "GET", "/", &[], None);
        }
    }

    #[test]
    fn c20_a_caller_names_the_mark_only_where_its_field_is_trusted() {
        let sent = [("x-mark", "foo")];
        check(&json!([]), "GET", "/", &sent, None);
        let rules = json!([{ "mark": "P", "when": { "method": ["POST"] } }]);
        let trusting = built::<Marker>(json!({ "trust-header": "X-Mark", "rules": rules })).unwrap();
        assert_eq!(mark(&trusting, "GET", "/", &sent).as_deref(), Some("foo"));
        assert_eq!(mark(&trusting, "POST", "/", &sent).as_deref(), Some("P"), "nobody escapes a rule");
        let too_long = "a".repeat(LONGEST + 1);
        for odd in ["", "a b", "a,b", "é", "none", &too_long] {
            assert_eq!(mark(&trusting, "GET", "/", &[("x-mark", odd)]), None, "{odd}");
        }
        assert_eq!(mark(&trusting, "GET", "/", &[("x-mark", "a"), ("x-mark", "b")]), None);
    }

    #[test]
    fn a_marker_that_may_not_act_marks_nothing() {
        let mut call = fixture::call(fixture::request("GET", "/"));
        call.call.decides_only = true;
        let marker = marker(&json!([{ "mark": "P", "when": { "method": ["GET"] } }]));
        assert!(matches!(marker.before(&mut call), Verdict::Continue));
        assert!(call.call.locals.get::<Mark>().is_none());
    }

    #[test]
    fn c21_of_several_rules_that_fit_the_first_written_wins() {
        let fit = |mark: &str| json!({ "mark": mark, "when": { "method": ["GET"] } });
        for (order, expected) in [(["z", "a"], "z"), (["a", "z"], "a")] {
            check(&json!(order.map(fit)), "GET", "/", &[], Some(expected));
        }
    }

    fn error(rules: &Value) -> (String, String) {
        let error = built::<Marker>(json!({ "rules": rules })).err().unwrap();
        (error.at, error.message)
    }

    #[test]
    fn c22_an_expression_that_is_none_is_refused_at_its_key() {
        let when = json!({ "header": { "x": { "regex": "(" } } });
        let (at, message) = error(&json!([{ "mark": "a", "when": {} }, { "mark": "b", "when": when }]));
        assert_eq!(at, "rules[1].when.header.x.regex");
        assert_eq!(message, "`(` is no expression: unclosed group");
        assert_eq!(error(&json!([{ "mark": "a b", "when": {} }])).0, "rules[0].mark");
        assert_eq!(error(&json!([{ "mark": "none", "when": {} }])).0, "rules[0].mark", "the unmarked are called so");
        assert!(built::<Marker>(json!({ "trust-header": "a b" })).is_err());
    }

    #[test]
    fn c24_every_operator_can_be_used() {
        let rules = json!([{ "mark": "P", "when": { "header": { "x": { "not": "a", "prefix": "b" } } } }]);
        check(&rules, "GET", "/", &[("x", "bc")], Some("P"));
        check(&rules, "GET", "/", &[("x", "a")], None);
        check(&rules, "GET", "/", &[("x", "c")], None);
    }

    #[test]
    fn c25_a_marker_that_is_built_anew_marks_by_its_new_rules_at_once() {
        let rule = |mark: &str| json!([{ "mark": mark, "when": { "method": ["GET"] } }]);
        let (old, new) = (marker(&rule("old")), marker(&rule("new")));
        assert_eq!(mark(&old, "GET", "/", &[]).as_deref(), Some("old"));
        assert_eq!(mark(&new, "GET", "/", &[]).as_deref(), Some("new"));
        assert_eq!(mark(&old, "GET", "/", &[]).as_deref(), Some("old"), "calls in flight keep theirs");
    }
}
