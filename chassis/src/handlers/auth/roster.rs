//! Files with a line for each caller: `NAME:PROOF scopes=a,b roles=c`, the last two where they are wanted.

use serde_json::Map;

use crate::conf::BuildError;
use crate::principal::{Identity, Principal};

/// A line of such a file.
pub(super) struct Line<'a> {
    /// Where it stands, from 1.
    pub(super) number: usize,
    pub(super) proof: &'a str,
    pub(super) name: &'a str,
    scopes: Vec<String>,
    roles: Vec<String>,
}

impl Line<'_> {
    /// Whom it is about.
    pub(super) fn principal(&self, scheme: &str) -> Principal {
        Principal::new(Identity {
            subject: self.name.to_owned(),
            scheme: scheme.to_owned(),
            scopes: self.scopes.clone(),
            roles: self.roles.clone(),
            claims: Map::new(),
        })
    }

    /// What is wrong with the line. What stands in it is not repeated: it may be a secret.
    pub(super) fn wrong(&self, message: &str, help: &str) -> BuildError {
        wrong(self.number, message, help)
    }
}

/// The lines of a file; empty ones and those that begin with `#` say nothing.
pub(super) fn lines(content: &[u8]) -> Result<Vec<Line<'_>>, BuildError> {
    let text = std::str::from_utf8(content).map_err(|_| BuildError::new("", "this is no text in UTF-8"))?;
    let said = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let lines = said.map(|(line, number)| read(line, number)).collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() {
        return Err(BuildError::new("", "there is nobody in this file").with_help("write a line for each caller"));
    }
    Ok(lines)
}

fn read(line: &str, number: usize) -> Result<Line<'_>, BuildError> {
    let mut words = line.split_whitespace();
    let Some((name, proof)) = words.next().and_then(|word| word.split_once(':')).filter(|(name, _)| !name.is_empty())
    else {
        return Err(wrong(number, "does not begin with a name and a colon", "write `NAME:…`, as the key `file` shows"));
    };
    let (mut scopes, mut roles) = (Vec::new(), Vec::new());
    for word in words {
        let (into, list) = match word.split_once('=') {
            Some(("scopes", list)) => (&mut scopes, list),
            Some(("roles", list)) => (&mut roles, list),
            _ => {
                let help = "write `scopes=a,b` and `roles=c,d`, without spaces around `=` and `,`";
                return Err(wrong(number, "says something that is neither `scopes=…` nor `roles=…`", help));
            }
        };
        into.extend(list.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    Ok(Line { number, proof, name, scopes, roles })
}

fn wrong(number: usize, message: &str, help: &str) -> BuildError {
    BuildError::new("", format!("line {number} {message}")).with_help(help)
}
