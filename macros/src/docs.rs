//! What doc comments say.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comments, one leading space of each line removed.
pub(crate) fn text(attributes: &[Attribute]) -> String {
    let lines: Vec<_> = attributes.iter().filter_map(line).flat_map(|text| unindented(&text)).collect();
    lines.join("\n").trim().to_owned()
}

/// The first sentence.
pub(crate) fn summary(attributes: &[Attribute]) -> String {
    let text = text(attributes);
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let paragraph = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    match &pair.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if pair.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

fn unindented(text: &str) -> Vec<String> {
    text.split('\n').map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn the_summary_is_the_first_sentence_whatever_its_lines() {
        let attributes: Vec<Attribute> = vec![
            parse_quote!(#[doc = " Says hello to"]),
            parse_quote!(#[doc = " a visitor. And no more."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = " Details."]),
        ];
        assert_eq!(summary(&attributes), "Says hello to a visitor.");
        assert_eq!(text(&attributes), "Says hello to\na visitor. And no more.\n\nDetails.");
    }
}
