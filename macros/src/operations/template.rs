//! Path templates, as far as a text alone tells what is wrong with them: `/users/{id:[0-9]+}`, `/files/{rest:*}`.

use syn::LitStr;

/// A path template that can be matched.
pub(crate) struct Template {
    segments: Vec<Segment>,
}

struct Segment {
    /// What stands before the parameter, or all there is.
    before: String,
    parameter: Option<Parameter>,
    after: String,
}

struct Parameter {
    name: String,
    /// What restricts its values: a regular expression, or `*` for the whole rest of the path.
    pattern: Option<String>,
}

impl Template {
    /// Reads a template.
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        let path = text.value();
        let template = read(&path).and_then(|segments| {
            let template = Self { segments };
            template.check().map(|()| template)
        });
        template.map_err(|why| syn::Error::new_spanned(text, format!("the path `{path}` {why}")))
    }

    /// The names of its parameters, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.segments.iter().filter_map(|segment| Some(segment.parameter.as_ref()?.name.as_str())).collect()
    }

    /// The template without the names of its parameters: two that look alike match the same paths.
    pub(crate) fn shape(&self) -> String {
        let segments = self.segments.iter().filter(|segment| !segment.is_empty()).map(|segment| {
            let parameter = segment.parameter.as_ref().map(|Parameter { pattern, .. }| match pattern {
                Some(pattern) => format!("{{:{pattern}}}"),
                None => "{}".to_owned(),
            });
            format!("/{}{}{}", segment.before, parameter.unwrap_or_default(), segment.after)
        });
        segments.collect()
    }

    /// Whether its last parameter takes the whole rest of the path.
    pub(crate) fn ends_in_tail(&self) -> bool {
        self.segments.last().is_some_and(Segment::is_tail)
    }

    fn check(&self) -> Result<(), String> {
        let names = self.names();
        if let Some(name) = names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name)) {
            return Err(format!("names `{name}` twice: every parameter has its own name"));
        }
        let (last, rest) = match self.segments.split_last() {
            Some(split) => split,
            None => return Ok(()),
        };
        if let Some(segment) = rest.iter().find(|segment| segment.is_tail()) {
            let name = segment.parameter.as_ref().map(|parameter| parameter.name.as_str()).unwrap_or_default();
            return Err(format!("goes on after `{{{name}:*}}`: what takes the whole rest stands last"));
        }
        match rest.iter().any(Segment::is_empty) && !(rest.len() == 1 && last.is_empty()) {
            true => Err("has an empty segment: write one `/` between segments".to_owned()),
            false => Ok(()),
        }
    }
}

impl Segment {
    fn is_empty(&self) -> bool {
        self.before.is_empty() && self.parameter.is_none()
    }

    fn is_tail(&self) -> bool {
        self.parameter.as_ref().is_some_and(|parameter| parameter.pattern.as_deref() == Some("*"))
    }
}

fn read(path: &str) -> Result<Vec<Segment>, String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("does not begin with `/`: write `/{path}`"));
    };
    split(rest)?.into_iter().map(segment).collect()
}

/// Cuts at the slashes that are not inside braces.
fn split(path: &str) -> Result<Vec<&str>, String> {
    let (mut segments, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, letter) in path.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1).ok_or("has a `}` without a `{` before it")?,
            '/' if depth == 0 => {
                segments.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err("has a `{` that is never closed".to_owned());
    }
    segments.push(&path[start..]);
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment, String> {
    let Some(open) = text.find('{') else {
        literal(text)?;
        return foreign(text).map(|()| Segment { before: text.to_owned(), parameter: None, after: String::new() });
    };
    let close = open + closing(&text[open..]);
    let (before, inside, after) = (&text[..open], &text[open + 1..close], &text[close + 1..]);
    if after.contains('{') {
        return Err(format!("has two parameters in `{text}`: a segment holds one"));
    }
    literal(before)?;
    literal(after)?;
    let parameter = parameter(inside)?;
    if parameter.pattern.as_deref() == Some("*") && !(before.is_empty() && after.is_empty()) {
        return Err(format!("has more than `{{{inside}}}` in its segment: what takes the whole rest stands alone"));
    }
    Ok(Segment { before: before.to_owned(), parameter: Some(parameter), after: after.to_owned() })
}

/// Where the brace at the beginning is closed; the caller knows that it is.
fn closing(text: &str) -> usize {
    let mut depth = 0_usize;
    let position = text.char_indices().find(|(_, letter)| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    position.map_or(text.len() - 1, |(at, _)| at)
}

fn parameter(inside: &str) -> Result<Parameter, String> {
    let (name, pattern) = match inside.split_once(':') {
        Some((name, pattern)) => (name, Some(pattern)),
        None => (inside, None),
    };
    if let Some(rest) = name.strip_prefix('*').or_else(|| name.strip_suffix("...")) {
        return Err(format!("has `{{{inside}}}`: a parameter that takes the whole rest is written `{{{rest}:*}}`"));
    }
    if name.is_empty() {
        return Err(format!("has a parameter without a name, `{{{inside}}}`: write `{{name}}`"));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if !name.chars().all(fits) || name.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return Err(format!(
            "has a parameter called `{name}`: names are letters, digits, `_` and `-`, a letter or `_` first"
        ));
    }
    pattern.map(|pattern| regex(name, pattern)).transpose()?;
    Ok(Parameter { name: name.to_owned(), pattern: pattern.map(str::to_owned) })
}

/// Checks what can be seen of a regular expression; all of it is checked when the service starts.
fn regex(name: &str, pattern: &str) -> Result<(), String> {
    if pattern.is_empty() {
        return Err(format!("has an empty expression in `{{{name}:}}`: write `{{{name}}}` if any value will do"));
    }
    let (mut open, mut escaped, mut class) = (Vec::new(), false, false);
    for letter in pattern.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if class => class = false,
            _ if class => {}
            '[' => class = true,
            '(' => open.push(letter),
            ')' if open.pop().is_none() => return Err(unbalanced(name, pattern, ")")),
            '/' => {
                return Err(format!(
                    "has a `/` in the expression of `{name}`: a value never holds one; `{{{name}:*}}` takes the whole rest"
                ));
            }
            _ => {}
        }
    }
    match (class, open.is_empty()) {
        (true, _) => Err(unbalanced(name, pattern, "[")),
        (false, false) => Err(unbalanced(name, pattern, "(")),
        (false, true) => Ok(()),
    }
}

fn unbalanced(name: &str, pattern: &str, bracket: &str) -> String {
    format!("has an expression for `{name}`, `{pattern}`, in which a `{bracket}` has no partner")
}

/// Checks text that stands for itself.
fn literal(text: &str) -> Result<(), String> {
    match text.chars().find(|letter| letter.is_whitespace() || letter.is_control() || "?#\"<>\\^`|".contains(*letter)) {
        Some('?') => Err("has a `?`: take the query with a `Query<T>` argument".to_owned()),
        Some('#') => Err("has a `#`: a fragment is never sent".to_owned()),
        Some(letter) => Err(format!("has {letter:?}, which no path holds: write it percent-encoded")),
        None => encoding(text),
    }
}

fn encoding(text: &str) -> Result<(), String> {
    let broken = text.match_indices('%').find(|(at, _)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    match broken {
        Some(_) => Err("has a `%` without two hexadecimal digits after it".to_owned()),
        None => Ok(()),
    }
}

/// Refuses what other routers mean by a parameter.
fn foreign(text: &str) -> Result<(), String> {
    match (text.strip_prefix(':'), text.strip_prefix('*')) {
        (Some(name), _) => Err(format!("has `{text}`: a parameter is written `{{{name}}}`")),
        (_, Some(name)) => {
            let name = if name.is_empty() { "rest" } else { name };
            Err(format!("has `{text}`: a parameter that takes the whole rest is written `{{{name}:*}}`"))
        }
        (None, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn parse(path: &str) -> syn::Result<Template> {
        Template::parse(&LitStr::new(path, Span::call_site()))
    }

    #[test]
    fn what_the_matcher_knows_is_accepted() {
        for (path, names) in [
            ("/", &[][..]),
            ("/a/b/", &[]),
            ("/{id}", &["id"]),
            ("/{id:[0-9]{3}}/x", &["id"]),
            ("/{id}.json", &["id"]),
            ("/v{major}/{user-id}:cancel", &["major", "user-id"]),
            ("/files/{rest:*}", &["rest"]),
            ("/%20/{id:[^/]+}", &["id"]),
        ] {
            assert_eq!(
                parse(path).map_err(|error| error.to_string()).map(|template| template.names().join(" ")),
                Ok(names.join(" "))
            );
        }
    }

    #[test]
    fn templates_that_differ_only_in_names_have_one_shape() {
        let shape = |path| parse(path).map(|template| template.shape()).ok();
        assert_eq!(shape("/a/{id}.json"), shape("/a/{name}.json/"));
        assert_ne!(shape("/a/{id}"), shape("/a/{id:[0-9]+}"));
        assert_eq!(shape("/"), Some(String::new()));
    }
}
