//! Finds the word that was probably meant.

/// The known word that `word` is probably a misspelling of.
pub(crate) fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = fold(word);
    // One slip in a short word, two in a longer one, a third of a long one.
    let tolerance = (word.chars().count() / 3).clamp(1, 4);
    let distance = |known: &&str| strsim::damerau_levenshtein(&word, &fold(known));
    let distances = known.into_iter().map(|known| (distance(&known), known));
    distances
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The help for an unknown word: the one that was probably meant, or all there are.
pub(crate) fn among<'a>(word: &str, known: impl IntoIterator<Item = &'a str>, they_are: &str) -> String {
    let mut known: Vec<_> = known.into_iter().collect();
    match closest(word, known.iter().copied()) {
        Some(known) => format!("did you mean `{known}`?"),
        None if known.is_empty() => "there is nothing of the kind".to_owned(),
        None => {
            let mut seen = std::collections::BTreeSet::new();
            known.retain(|word| seen.insert(*word));
            format!("{they_are} {}", listed(&known))
        }
    }
}

/// Words as a sentence lists them: all where they are two dozen at most, else the first dozen.
pub(crate) fn listed(words: &[&str]) -> String {
    let shown = if words.len() > 24 { 12 } else { words.len() };
    let list = words.iter().take(shown).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    match words.len() - shown {
        0 => list,
        more => format!("{list} and {more} more"),
    }
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_close_is_suggested() {
        let known = ["rate-limit", "auth", "cors"];
        assert_eq!(closest("rate-limt", known), Some("rate-limit"));
        assert_eq!(closest("rate_limit", known), Some("rate-limit"));
        assert_eq!(closest("RateLimit", known), Some("rate-limit"));
        assert_eq!(closest("auht", known), Some("auth"));
        assert_eq!(closest("cache", known), None);
    }

    #[test]
    fn without_a_suggestion_all_are_listed() {
        assert_eq!(among("x", ["one", "two"], "there are"), "there are `one`, `two`");
        assert_eq!(among("x", [], "there are"), "there is nothing of the kind");
        let many = |count: usize| {
            let names: Vec<_> = (0..count).map(|at| format!("name-{at}")).collect();
            among("x", names.iter().map(String::as_str), "there are")
        };
        assert!(many(24).ends_with("`name-22`, `name-23`"));
        assert!(many(25).ends_with("`name-11` and 13 more"));
    }
}
