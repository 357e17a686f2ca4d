//! Hands what the process records to whoever sends it, if configuration asks for that and the program has somebody.

use linkme::distributed_slice;

use crate::background::Task;
use crate::conf::root::{Otlp, Root};
use crate::conf::source::{Resource, SERVICE_NAME, SERVICE_VERSION};
use crate::conf::{BuildContext, BuildError, Warnings};
use crate::memory::Reserved;

/// Those who send: one where the feature `otlp` is on, none elsewhere.
#[distributed_slice]
pub static CHASSIS_EXPORTERS_V1: [Exporter];

/// Somebody who sends what the process records.
pub struct Exporter {
    /// Takes up the work: queues are opened, and the sending is asked for as work beside the calls.
    pub begin: fn(&Otlp, &Resource, &BuildContext<'_>) -> Result<Exporting, BuildError>,
}

/// What is sent, for as long as this is kept.
#[derive(Default)]
pub struct Exporting {
    /// The work.
    pub tasks: Vec<Task>,
    /// The memory that its queues can take.
    pub reserved: Vec<Reserved>,
}

/// Sends what configuration asks for, of the process that `resource` describes.
///
/// # Errors
/// A value is wrong, or the program has nobody who sends; the keys are those below `telemetry`, also of warnings.
pub fn export(root: &Root, resource: &Resource, context: &BuildContext<'_>) -> Result<Exporting, BuildError> {
    if root.telemetry.resource.keys().any(|name| name.trim().is_empty()) {
        let error = BuildError::new("resource", "an attribute has no name");
        return Err(error.with_help("write one as OpenTelemetry does, such as `deployment.environment.name`"));
    }
    let Some(otlp) = &root.telemetry.otlp else { return Ok(Exporting::default()) };
    let Some(exporter) = CHASSIS_EXPORTERS_V1.iter().next() else { return Err(nobody()) };
    let warnings = Warnings::default();
    let begun = (exporter.begin)(otlp, resource, &BuildContext { warnings: &warnings, ..*context });
    warnings.all().into_iter().for_each(|warning| context.warnings.warn_at(warning.below("otlp")));
    begun.map_err(|error| error.below("otlp"))
}

fn nobody() -> BuildError {
    let message = "this program cannot send OTLP: it was built without the feature `otlp` of chassis";
    BuildError::new("otlp", message).with_help(
        "add `features = [\"otlp\"]` to `chassis` in the `Cargo.toml` of the service, or take `telemetry.otlp` away",
    )
}

/// What describes the process: what configuration says before what the environment does, which is `found`, and that
/// before the name and the version that the program has of itself.
pub fn described(root: &Root, found: Resource, (program, version): (&str, &str)) -> Resource {
    let (service, mut resource) = (&root.service, found);
    for (name, said, own) in [(SERVICE_NAME, &service.name, program), (SERVICE_VERSION, &service.version, version)] {
        match said {
            Some(said) => _ = resource.insert(name.to_owned(), said.clone()),
            None => _ = resource.entry(name.to_owned()).or_insert_with(|| own.to_owned()),
        }
    }
    for (name, value) in [
        ("telemetry.sdk.name", "chassis"),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ] {
        resource.insert(name.to_owned(), value.to_owned());
    }
    resource.extend(root.telemetry.resource.clone());
    resource
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn root(conf: Value) -> Root {
        serde_json::from_value(conf).unwrap()
    }

    fn found(pairs: &[(&str, &str)]) -> Resource {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn configuration_goes_before_the_environment() {
        let name = |conf: Value, environment: &[(&str, &str)]| {
            described(&root(conf), found(environment), ("greeter", "0.3.1")).remove("service.name")
        };
        let environment = [("service.name", "told")];
        assert_eq!(name(json!({ "service": { "name": "greeter" } }), &environment).as_deref(), Some("greeter"));
        assert_eq!(name(json!({ "service": { "name": "mine" } }), &environment).as_deref(), Some("mine"));
        assert_eq!(name(json!({}), &environment).as_deref(), Some("told"), "configuration does not say");
        assert_eq!(name(json!({}), &[]).as_deref(), Some("greeter"), "nobody does");
        let conf = json!({ "telemetry": { "resource": { "service.name": "last", "team": "a" } } });
        assert_eq!(name(conf, &environment).as_deref(), Some("last"));
    }

    #[test]
    fn the_version_is_that_of_the_program_unless_another_is_said() {
        let version = |conf: Value, environment: &[(&str, &str)]| {
            described(&root(conf), found(environment), ("greeter", "0.3.1")).remove("service.version")
        };
        let environment = [("service.version", "told")];
        assert_eq!(version(json!({}), &[]).as_deref(), Some("0.3.1"));
        assert_eq!(version(json!({}), &environment).as_deref(), Some("told"));
        let conf = json!({ "service": { "version": "mine" } });
        assert_eq!(version(conf, &environment).as_deref(), Some("mine"));
    }
}
