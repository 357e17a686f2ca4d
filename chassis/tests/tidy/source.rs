//! Finds and parses the source files of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::facts::Facts;

/// What the rules need to know of one Rust file.
pub(crate) struct Source {
    /// From the root of the repository, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Every token, groups flattened, those of tests left out.
    pub(crate) tokens: Vec<Token>,
    pub(crate) facts: Facts,
    /// Whether the whole file is test code: it may do what production code may not.
    pub(crate) is_test: bool,
}

/// An identifier, a punctuation character, a delimiter or a literal, and the line it is on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Source {
    /// Every Rust file of the repository that people write for others to read. Files that a test feeds to a compiler
    /// or compares with its output are samples, not source.
    pub(crate) fn all() -> &'static [Source] {
        static ALL: OnceLock<Vec<Source>> = OnceLock::new();
        ALL.get_or_init(|| {
            let mut paths = Vec::new();
            for folder in ["chassis", "macros", "services"] {
                walk(&root().join(folder), &mut paths);
            }
            paths.sort();
            let mut sources: Vec<_> = paths.iter().map(|path| Self::read(path)).collect();
            let for_tests: Vec<_> = sources.iter().flat_map(Self::test_modules).collect();
            for source in &mut sources {
                source.is_test |= for_tests.iter().any(|module| source.is_of(module));
            }
            sources
        })
    }

    /// The paths, without extension, of the modules that this file declares for tests only.
    fn test_modules(&self) -> Vec<String> {
        let own = self.path.trim_end_matches(".rs");
        let folder = own.strip_suffix("/lib").or_else(|| own.strip_suffix("/main")).unwrap_or(own);
        self.facts.test_modules.iter().map(|module| format!("{folder}/{module}")).collect()
    }

    fn is_of(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
        Self::parse(name, text)
    }

    pub(crate) fn parse(path: String, text: String) -> Self {
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut facts = Facts::default();
        facts.visit_file(&file);
        let mut tokens = Vec::new();
        flatten(text.parse().unwrap(), &mut tokens);
        tokens.retain(|token| !facts.tests.iter().any(|lines| lines.contains(&token.line)));
        let is_test = path.split('/').any(|part| part == "tests");
        Self { path, text, tokens, facts, is_test }
    }

    /// Whether it ends up in what a user of chassis compiles.
    pub(crate) fn is_production(&self) -> bool {
        self.path.contains("/src/")
            && !self.path.contains("/benches/")
            && !self.path.contains("/fuzz/")
            && !self.is_test
    }

    /// Whether this line belongs to an item that only tests compile.
    pub(crate) fn in_test(&self, line: usize) -> bool {
        self.facts.tests.iter().any(|lines| lines.contains(&line))
    }

    /// Every path written in the file outside tests, as its segments, with its line. `use` trees are expanded.
    pub(crate) fn references(&self) -> Vec<(usize, Vec<String>)> {
        let mut found = self.facts.uses.clone();
        found.retain(|(line, _)| !self.in_test(*line));
        found.extend(paths(&self.tokens));
        found.sort();
        found.dedup();
        found
    }

    pub(crate) fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    const SKIPPED: &[&str] =
        &["target", "ui", "cases", "fixtures", "golden", "snapshots", "expansions", "fail", "corpus"];
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_sample = SKIPPED.contains(&name) && !folder.ends_with("src");
        if path.is_dir() && !is_sample && !name.starts_with('.') {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                tokens.push(Token { text: "(".to_owned(), line });
                flatten(group.stream(), tokens);
                tokens.push(Token { text: ")".to_owned(), line: group.span_close().start().line });
            }
            other => tokens.push(Token { text: other.to_string(), line }),
        }
    }
}

/// `a::b::c` wherever it stands, also inside the arguments of macros.
fn paths(tokens: &[Token]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let mut path = vec![tokens[at].text.clone()];
        let line = tokens[at].line;
        while let [_, first, second, name, ..] = &tokens[at..]
            && first.text == ":"
            && second.text == ":"
            && name.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        {
            path.push(name.text.clone());
            at += 3;
        }
        if path.len() > 1 {
            found.push((line, path));
        }
        at += 1;
    }
    found
}

#[test]
fn paths_are_found_in_uses_bodies_and_macro_arguments_and_not_in_tests() {
    let text = "//! A.\nuse crate::a::{b, c as d};\nfn f() { println!(\"{}\", crate::e::g()) }\n\
                #[cfg(test)]\nmod tests {\n use crate::h;\n}\n";
    let source = Source::parse("chassis/src/x.rs".to_owned(), text.to_owned());
    let found: Vec<_> = source.references().iter().map(|(line, path)| (*line, path.join("::"))).collect();
    for expected in [(2, "crate::a::b"), (2, "crate::a::c"), (3, "crate::e::g")] {
        assert!(found.contains(&(expected.0, expected.1.to_owned())), "{expected:?} in {found:?}");
    }
    assert!(!found.iter().any(|(_, path)| path.contains('h')), "{found:?}");
}
