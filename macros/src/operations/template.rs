//! Path templates, read as the matcher reads them: `/users/{id:[0-9]+}`, `/files/{rest:*}`. What is wrong with one is
//! told here already, except inside of regular expressions, which only have to be closed.

use syn::LitStr;

/// Words that other routers take for a type.
const TYPES: [&str; 14] = [
    "int", "integer", "long", "float", "double", "decimal", "bool", "str", "string", "uuid", "guid", "path", "alpha",
    "slug",
];

/// A path template.
pub(crate) struct Template {
    segments: Vec<Segment>,
    ends_in_slash: bool,
}

#[derive(Default)]
struct Segment {
    /// The text before the parameter, or all there is.
    before: String,
    parameter: Option<Parameter>,
    after: String,
}

struct Parameter {
    /// `None` where the value is matched and not kept.
    name: Option<String>,
    /// What restricts its values: a regular expression, or `*` for whole segments.
    expression: Option<String>,
}

impl Template {
    /// Reads a template.
    pub(crate) fn parse(text: &LitStr) -> syn::Result<Self> {
        let path = text.value();
        Self::read(&path).map_err(|why| syn::Error::new_spanned(text, format!("the path `{path}` {why}")))
    }

    fn read(path: &str) -> Result<Self, String> {
        if !path.starts_with('/') {
            return Err(format!("does not begin with `/`: write `/{path}`"));
        }
        let segments = split(path).into_iter().map(segment).collect::<Result<Vec<_>, _>>()?;
        let template = Self { segments, ends_in_slash: path.ends_with('/') };
        template.check().map(|()| template)
    }

    /// The names of its parameters, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.parameters().filter_map(|parameter| parameter.name.as_deref()).collect()
    }

    /// The template without the names of its parameters: two that look alike match the same paths.
    pub(crate) fn shape(&self) -> String {
        let segments = self.segments.iter().map(|Segment { before, parameter, after }| {
            let parameter = parameter.as_ref().map(|parameter| match &parameter.expression {
                Some(expression) => format!("{{:{expression}}}"),
                None => "{}".to_owned(),
            });
            format!("/{before}{}{after}", parameter.unwrap_or_default())
        });
        segments.chain(self.ends_in_slash.then(|| "/".to_owned())).collect()
    }

    fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.segments.iter().filter_map(|segment| segment.parameter.as_ref())
    }

    fn check(&self) -> Result<(), String> {
        let names = self.names();
        if let Some(name) = names.iter().enumerate().find_map(|(at, name)| names[..at].contains(name).then_some(name)) {
            return Err(format!("names `{name}` twice: every parameter has its own name"));
        }
        let tails = self.parameters().filter(|parameter| parameter.expression.as_deref() == Some("*"));
        match tails.count() {
            0 | 1 => Ok(()),
            _ => Err("has two parameters that take whole segments: keep one `:*`".to_owned()),
        }
    }
}

/// Cuts at the slashes that are not inside braces; empty segments do not count.
fn split(path: &str) -> Vec<&str> {
    let (mut segments, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(letter) = path.as_bytes().get(at) {
        match letter {
            b'/' => {
                segments.push(&path[start..at]);
                start = at + 1;
                at += 1;
            }
            b'{' => at = closing(path, at).unwrap_or(at) + 1,
            _ => at += 1,
        }
    }
    segments.push(&path[start..]);
    segments.retain(|segment| !segment.is_empty());
    segments
}

/// The brace that closes the one at `open`. Braces nest; those in a character class or behind a backslash are text.
/// When that finds none the first is taken, so that the mistake is found in the expression.
fn closing(text: &str, open: usize) -> Option<usize> {
    let (bytes, mut depth, mut class, mut at) = (text.as_bytes(), 0_usize, 0_usize, open);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'[' => {
                class += 1;
                at += usize::from(bytes.get(at + 1) == Some(&b'^'));
                // A bracket that comes first in a class is text.
                at += usize::from(bytes.get(at + 1) == Some(&b']'));
            }
            b']' => class = class.saturating_sub(1),
            b'{' if class == 0 => depth += 1,
            b'}' if class == 0 && depth == 1 => return Some(at),
            b'}' if class == 0 => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    text[open..].find('}').map(|at| open + at)
}

fn segment(text: &str) -> Result<Segment, String> {
    let Some(open) = text.find('{') else {
        alone(text)?;
        return Ok(Segment { before: text.to_owned(), ..Segment::default() });
    };
    let close = closing(text, open).ok_or("has a `{` that is never closed")?;
    let (before, inside, after) = (&text[..open], &text[open + 1..close], &text[close + 1..]);
    if after.contains('{') {
        return Err(format!("has two parameters in `{text}`: a segment holds one"));
    }
    literal(before)?;
    literal(after)?;
    let parameter = parameter(inside)?;
    if parameter.expression.as_deref() == Some("*") && !(before.is_empty() && after.is_empty()) {
        return Err(format!("has more than `{{{inside}}}` in its segment: what takes whole segments stands alone"));
    }
    Ok(Segment { before: before.to_owned(), parameter: Some(parameter), after: after.to_owned() })
}

fn parameter(inside: &str) -> Result<Parameter, String> {
    let (name, expression) = match inside.split_once(':') {
        Some((name, expression)) => (name, Some(expression)),
        None => (inside, None),
    };
    let fits = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    match name.chars().find(|letter| !fits(*letter)) {
        Some('*' | '+') => {
            let name = name.trim_matches(['*', '+']);
            return Err(format!("has `{{{inside}}}`: a parameter that takes the whole rest is written `{{{name}:*}}`"));
        }
        Some('?') => {
            return Err(format!("has `{{{inside}}}`: nothing is optional in a path, write a second operation"));
        }
        Some(stranger) => {
            return Err(format!("has {stranger:?} in the name `{name}`: names are letters, digits, `_`, `-` and `.`"));
        }
        None if name.is_empty() && expression.is_none() => {
            return Err("has a parameter without a name, `{}`: write `{name}`".to_owned());
        }
        None => {}
    }
    if let Some(expression) = expression {
        self::expression(name, expression)?;
    }
    Ok(Parameter { name: (!name.is_empty()).then(|| name.to_owned()), expression: expression.map(str::to_owned) })
}

/// Checks what can be seen of a regular expression from outside.
fn expression(name: &str, expression: &str) -> Result<(), String> {
    if expression.is_empty() {
        return Err(format!("has an empty expression in `{{{name}:}}`: write `{{{name}}}` if any value will do"));
    }
    if !name.is_empty() && TYPES.contains(&expression) {
        return Err(format!(
            "has the expression `{expression}`, which matches this word alone: write `{{{name}}}`, the argument's type \
             does the rest"
        ));
    }
    let (mut open, mut escaped, mut class) = (0_usize, false, 0_usize);
    for letter in expression.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class += 1,
            ']' => class = class.saturating_sub(1),
            '(' if class == 0 => open += 1,
            ')' if class == 0 && open == 0 => return Err(unpaired(name, expression, ')')),
            ')' if class == 0 => open -= 1,
            _ => {}
        }
    }
    match (class, open) {
        (0, 0) => Ok(()),
        (0, _) => Err(unpaired(name, expression, '(')),
        _ => Err(unpaired(name, expression, '[')),
    }
}

fn unpaired(name: &str, expression: &str, bracket: char) -> String {
    format!("has an expression for `{name}`, `{expression}`, in which a `{bracket}` has no partner")
}

/// Checks text that stands alone between two slashes.
fn alone(text: &str) -> Result<(), String> {
    match (text, text.split_at_checked(1)) {
        ("." | "..", _) => Err(format!("has a segment `{text}`: clients resolve it before they send a path")),
        (_, Some((":", name))) => Err(format!("has `{text}`: a parameter is written `{{{name}}}`")),
        (_, Some(("*", name))) => {
            let name = if name.is_empty() { "rest" } else { name };
            Err(format!("has `{text}`: a parameter that takes the whole rest is written `{{{name}:*}}`"))
        }
        _ => literal(text),
    }
}

/// Checks text that stands for itself.
fn literal(text: &str) -> Result<(), String> {
    let broken = |at: usize| match text.as_bytes().get(at + 1..at + 3) {
        Some(b"00") | None => true,
        Some(digits) => !digits.iter().all(u8::is_ascii_hexdigit),
    };
    let wrong = text.char_indices().find_map(|(at, letter)| match letter {
        '}' => Some("has a `}` without a `{` before it; if the path has one, write `%7D`".to_owned()),
        '?' => Some("has a `?`: take the query with a `Query<T>` argument".to_owned()),
        '#' => Some("has a `#`: a fragment is never sent".to_owned()),
        '%' if broken(at) => Some(
            "has a `%` without two hexadecimal digits other than 00 after it; for the sign itself write `%25`"
                .to_owned(),
        ),
        letter if letter.is_control() => Some(format!("has {letter:?}, which is never sent: leave it out")),
        _ => None,
    });
    let is_text = str::from_utf8(&unescaped(text)).is_ok();
    let wrong = wrong.or_else(|| (!is_text).then(|| format!("has escapes in `{text}` that do not spell UTF-8")));
    wrong.map_or(Ok(()), Err)
}

/// The bytes that a text with its escapes stands for.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        let (digits, after) = after.split_at_checked(2).unwrap_or_default();
        bytes.extend(u8::from_str_radix(digits, 16));
        rest = after;
    }
    bytes.extend(rest.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn templates_that_differ_only_in_names_have_one_shape() {
        let shape = |path| Template::parse(&LitStr::new(path, Span::call_site())).map(|it| it.shape()).ok();
        assert_eq!(shape("/a/{id}.json"), shape("/a//{name}.json"));
        assert_ne!(shape("/a/{id}"), shape("/a/{id:[0-9]+}"));
        assert_ne!(shape("/a/{id}"), shape("/a/{id}/"));
        assert_eq!(shape("/"), Some("/".to_owned()));
    }
}
