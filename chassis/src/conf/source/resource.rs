//! What the environment says that this process is: OpenTelemetry's variables, and those that Kubernetes fills.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::conf::Warnings;

/// What describes a process, by the names of OpenTelemetry's conventions.
pub type Resource = BTreeMap<String, String>;

/// The variables that pods are usually given by the downward API; `K8S_` may stand in front of each.
const DOWNWARD: [(&str, &str); 5] = [
    ("POD_NAME", "k8s.pod.name"),
    ("POD_NAMESPACE", "k8s.namespace.name"),
    ("POD_UID", "k8s.pod.uid"),
    ("NODE_NAME", "k8s.node.name"),
    ("CONTAINER_NAME", "k8s.container.name"),
];

/// The attribute that names the service.
pub(crate) const SERVICE_NAME: &str = "service.name";

/// The attribute that says its version.
pub(crate) const SERVICE_VERSION: &str = "service.version";

/// The variable that lists attributes.
const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// What these variables say. What is said on purpose goes before what is found. Of a list in which something is wrong
/// nothing is taken, as OpenTelemetry has it.
pub(super) fn resource(environment: &BTreeMap<String, String>, warnings: &Warnings) -> Resource {
    let said = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let mut resource = Resource::new();
    if let Some(host) = said("HOSTNAME") {
        resource.insert("host.name".to_owned(), host.clone());
        // A container of Kubernetes is given the name of its pod.
        if said("KUBERNETES_SERVICE_HOST").is_some() {
            resource.insert("k8s.pod.name".to_owned(), host.clone());
        }
    }
    for (variable, attribute) in DOWNWARD {
        if let Some(value) = said(variable).or_else(|| said(&format!("K8S_{variable}"))) {
            resource.insert(attribute.to_owned(), value.clone());
        }
    }
    match said(ATTRIBUTES).map(|text| pairs(text)) {
        Some(Ok(pairs)) => resource.extend(pairs),
        // What it says is not repeated: it may be anything.
        Some(Err(place)) => warnings.warn(format!(
            "environment {ATTRIBUTES} has no effect: entry {place} is not `key=value` in percent-encoding; write `,` as \
             `%2C`, `=` as `%3D` and `%` as `%25` within a value"
        )),
        None => {}
    }
    resource.extend(said("OTEL_SERVICE_NAME").map(|name| (SERVICE_NAME.to_owned(), name.clone())));
    resource
}

/// `key=value,key=value`, both percent-encoded; or the place of what is no such pair, from 1.
fn pairs(text: &str) -> Result<Vec<(String, String)>, usize> {
    let pieces = (1..).zip(text.split(',').map(str::trim)).filter(|(_, piece)| !piece.is_empty());
    pieces.map(|(place, piece)| pair(piece).ok_or(place)).collect()
}

fn pair(piece: &str) -> Option<(String, String)> {
    let (key, value) = piece.split_once('=')?;
    let (key, value) = (decoded(key.trim())?, decoded(value.trim())?);
    (!key.is_empty()).then_some((key, value))
}

/// A text without its percent-encoding (RFC 3986 §2.1), if that is right.
fn decoded(text: &str) -> Option<String> {
    let is_code = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let is_right = text.split('%').skip(1).all(is_code);
    let decoded = percent_decode_str(text).decode_utf8().ok().filter(|_| is_right);
    decoded.map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        resource(&variables.iter().map(pair).collect(), &Warnings::default()).into_iter().collect()
    }

    fn is(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_pod_knows_its_place() {
        let pod = [("POD_NAME", "a-1"), ("K8S_POD_NAMESPACE", "shop"), ("NODE_NAME", "n7"), ("POD_UID", "")];
        let known = is(&[("k8s.namespace.name", "shop"), ("k8s.node.name", "n7"), ("k8s.pod.name", "a-1")]);
        assert_eq!(found(&pod), known);
        let bare = found(&[("HOSTNAME", "a-2"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")]);
        assert_eq!(bare, is(&[("host.name", "a-2"), ("k8s.pod.name", "a-2")]));
        assert_eq!(found(&[("HOSTNAME", "mine")]), is(&[("host.name", "mine")]));
    }

    #[test]
    fn what_is_said_on_purpose_goes_before_what_is_found() {
        let said = [
            ("POD_NAME", "a-1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=b, team = a%2Cb ,%3D=x=y,,service.name=one,"),
            ("OTEL_SERVICE_NAME", "two"),
        ];
        assert_eq!(found(&said), is(&[("=", "x=y"), ("k8s.pod.name", "b"), ("service.name", "two"), ("team", "a,b")]));
    }

    #[test]
    fn a_list_in_which_something_is_wrong_is_not_taken_and_warned_of() {
        for (list, place) in [("team=a,odd", 2), ("=x,team=a", 1), ("team=a,,b=100%", 3), ("team=%ff", 1), ("a=%2", 1)]
        {
            let (warnings, variables) = (Warnings::default(), [(ATTRIBUTES.to_owned(), list.to_owned())].into());
            assert_eq!(resource(&variables, &warnings), Resource::new(), "{list}");
            let [warning] = warnings.all().try_into().unwrap();
            let expected =
                format!("environment OTEL_RESOURCE_ATTRIBUTES has no effect: entry {place} is not `key=value`");
            assert!(warning.message.starts_with(&expected), "{}", warning.message);
            assert!(warning.message.ends_with("; write `,` as `%2C`, `=` as `%3D` and `%` as `%25` within a value"));
        }
    }
}
