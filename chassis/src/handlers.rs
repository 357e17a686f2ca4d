//! The handlers that come with chassis, one file or folder each; none of them knows another.

pub mod access_log;
pub mod auth;
pub mod cache;
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

    /// The handlers of this folder, without those that tests place in the catalog.
    fn shipped() -> impl Iterator<Item = &'static HandlerEntry> {
        CHASSIS_HANDLERS_V1.iter().filter(|entry| entry.head.location.file.contains("src/handlers/"))
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
