//! The handlers that come with chassis, one file or folder each; none of them knows another.

pub mod access_log;
pub mod auth;
pub mod cache;
#[cfg(feature = "compression")]
pub mod compression;
pub mod concurrency;
pub mod cors;
pub mod csrf;
pub mod deadline;
pub mod fault_injection;
pub mod idempotency;
pub mod ip_allow;
pub mod limit_body;
pub mod marker;
pub mod metrics;
pub mod overload;
pub mod rate_limit;
pub mod request_id;
pub mod security_headers;
pub mod set_header;
pub mod tracing;

#[cfg(test)]
mod tests {
    use schemars::SchemaGenerator;

    use crate::catalog::{CHASSIS_HANDLERS_V1, HandlerEntry};
    use crate::conf::{Composed, Document, Kind, Part, Sources};

    /// The handlers of this folder, without those that tests place in the catalog.
    fn shipped() -> impl Iterator<Item = &'static HandlerEntry> {
        CHASSIS_HANDLERS_V1.iter().filter(|entry| entry.head.location.file.contains("src/handlers/"))
    }

    /// The page of a handler, for those who write YAML.
    #[expect(clippy::disallowed_methods, reason = "a page is no configuration")]
    fn page(name: &str) -> String {
        let path = format!("{}/docs/handlers/{name}.md", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("`{name}` has no page {path}: {error}"))
    }

    /// Checks the first example of a page; returns it.
    fn example(page: &str, title: &str) -> String {
        let yaml = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let part = |entry: &HandlerEntry| Part {
            kind: Kind::Handler,
            name: entry.head.name.to_owned(),
            doc: entry.head.doc.to_owned(),
            conf: entry.head.conf,
        };
        let parts: Vec<_> = shipped().map(part).collect();
        let document = Document::of_text(title, yaml).unwrap();
        let composed = Composed::new(&parts).with_terms();
        if let Err(error) = document.check(composed, &["greeting.hello"], &Sources::default().disk()) {
            panic!("{error}");
        }
        yaml.to_owned()
    }

    #[test]
    fn every_handler_has_a_page_whose_example_is_valid() {
        for name in shipped().map(|entry| entry.head.name) {
            let page = page(name);
            let parts_of_it = ["## Configuration", "## Behaviour", "## Header fields", "## Metrics"];
            assert!(
                parts_of_it.iter().all(|part| page.contains(part)),
                "the page of `{name}` lacks one of {parts_of_it:?}"
            );
            let yaml = example(&page, &format!("{name}.md"));
            assert!(yaml.contains(&format!("  {name}:")), "the page of `{name}` does not configure it");
        }
    }

    #[test]
    fn the_page_of_the_chain_has_a_valid_example() {
        example(include_str!("../docs/chain.md"), "chain.md");
    }

    #[test]
    fn every_handler_and_every_value_of_it_is_documented() {
        assert!(shipped().any(|entry| entry.head.name == "rate-limit"));
        for entry in shipped() {
            let name = entry.head.name;
            assert!(entry.head.doc.ends_with('.'), "{name} does not say what it does");
            let schema = (entry.head.conf)(&mut SchemaGenerator::default());
            let values = schema.get("properties").and_then(|values| values.as_object());
            for (key, value) in values.into_iter().flatten() {
                let said = value.get("description").and_then(|text| text.as_str());
                assert!(said.is_some_and(|text| text.ends_with('.')), "{name}.{key} does not say what it means");
            }
        }
    }
}
