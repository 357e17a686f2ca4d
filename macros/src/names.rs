//! The names of things: how they are derived from Rust names, what they may look like, and which one was meant.

use syn::LitStr;

/// `UserAccounts` and `user_accounts` as YAML writes them: `user-accounts`.
pub(crate) fn kebab(name: &str) -> String {
    let name = name.trim_start_matches("r#");
    let mut kebab = String::with_capacity(name.len() + 4);
    let mut letters = name.chars().peekable();
    let mut former = '-';
    while let Some(letter) = letters.next() {
        let starts_word = letter.is_uppercase()
            && (former.is_lowercase() || former.is_numeric() || letters.peek().is_some_and(|next| next.is_lowercase()));
        if (starts_word || letter == '_') && former != '-' {
            kebab.push('-');
        }
        former = if letter == '_' { '-' } else { letter };
        if letter != '_' {
            kebab.extend(letter.to_lowercase());
        }
    }
    kebab
}

/// `UserAccounts` as functions are named: `user_accounts`.
pub(crate) fn snake(name: &str) -> String {
    kebab(name).replace('-', "_")
}

/// Checks a name that YAML will use.
pub(crate) fn checked(name: &LitStr) -> syn::Result<String> {
    let text = name.value();
    let words_are_fine = text.split('-').all(|word| {
        !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    });
    if words_are_fine && text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Ok(text);
    }
    let better = kebab(&text.replace([' ', '.', '/'], "_"));
    let better: String = better.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    let better = better.trim_matches(|edge: char| edge == '-' || edge.is_ascii_digit());
    let help = if better.is_empty() { String::new() } else { format!(", such as `{better}`") };
    let message =
        format!("`{text}` cannot be a name in YAML: use small letters and digits, with `-` between words{help}");
    Err(syn::Error::new_spanned(name, message))
}

/// The known word that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |known: &&str| strsim::damerau_levenshtein(word, known);
    known.iter().copied().min_by_key(|known| distance(known)).filter(|known| distance(known) <= 1 + known.len() / 4)
}

/// `a`, `b` and `c`.
pub(crate) fn list(names: &[impl AsRef<str>]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_names_become_words_with_hyphens() {
        for (rust, yaml) in [
            ("Greeting", "greeting"),
            ("UserAccounts", "user-accounts"),
            ("say_hello", "say-hello"),
            ("HTTPProxy", "http-proxy"),
            ("Sha256Sum", "sha256-sum"),
            ("r#type", "type"),
            ("_private", "private"),
        ] {
            assert_eq!(kebab(rust), yaml);
        }
    }

    #[test]
    fn a_word_is_suggested_only_when_it_is_near() {
        assert_eq!(nearest("timeot", &["name", "timeout"]), Some("timeout"));
        assert_eq!(nearest("pubilc", &["public", "auth"]), Some("public"));
        assert_eq!(nearest("colour", &["public", "auth"]), None);
    }
}
