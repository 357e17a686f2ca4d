//! What callers send, as far as it may be written: short, and without what may be a secret.

use std::borrow::Cow;

use http::HeaderName;

use super::Query;
use crate::invocation::Invocation;
use crate::outbox::cut;

/// The longest text of a caller that is written, in bytes.
const LONGEST: usize = 512;

/// What stands for a value that is not written.
const HIDDEN: &str = "…";

/// How much is written of what callers send.
pub(super) struct Shown {
    pub(super) query: Query,
    pub(super) headers: Vec<HeaderName>,
    pub(super) redacted: Vec<String>,
}

impl Shown {
    /// A query, as far as it may be written; `None` for one that is empty.
    pub(super) fn query(&self, query: &str) -> Option<String> {
        let text = match self.query {
            Query::Full => {
                // A name stands before its value, so that what is cut off shows nothing.
                let begin = cut(query, LONGEST);
                let pairs: Vec<_> = begin.split('&').map(|pair| self.shown(pair)).collect();
                let mark = if begin.len() < query.len() { HIDDEN } else { "" };
                format!("{}{mark}", pairs.join("&"))
            }
            Query::Names => {
                // What has no name of its own may be a value.
                let name =
                    |pair: &str| pair.split_once('=').map_or(HIDDEN.to_owned(), |(name, _)| format!("{name}={HIDDEN}"));
                let names: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).map(name).collect();
                shortened(names.join("&").as_bytes())
            }
        };
        (!text.is_empty()).then_some(text)
    }

    /// A parameter, without its value if that is not written, however its name is escaped.
    fn shown<'a>(&self, pair: &'a str) -> Cow<'a, str> {
        let Some((name, _)) = pair.split_once('=') else { return pair.into() };
        let is_hidden = form_urlencoded::parse(name.as_bytes()).any(|(name, _)| self.hides(&name));
        if is_hidden { format!("{name}={HIDDEN}").into() } else { pair.into() }
    }

    fn hides(&self, name: &str) -> bool {
        self.redacted.iter().any(|hidden| name.eq_ignore_ascii_case(hidden))
    }

    /// The header fields that are to be written, in one text; `None` if there is none of them.
    pub(super) fn headers(&self, invocation: &Invocation) -> Option<String> {
        let sent = self.headers.iter().flat_map(|name| invocation.values(name).map(move |value| (name, value)));
        let texts: Vec<_> = sent
            .map(|(name, value)| match self.hides(name.as_str()) {
                true => format!("{name}: {HIDDEN}"),
                false => format!("{name}: {}", shortened(value)),
            })
            .collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

/// A text of a caller, cut where it is too long. What is no text is replaced, and whoever writes the line escapes what
/// would end it.
pub(super) fn shortened(text: &[u8]) -> String {
    let cut = &text[..text.len().min(LONGEST)];
    let mark = if cut.len() < text.len() { HIDDEN } else { "" };
    format!("{}{mark}", String::from_utf8_lossy(cut))
}
