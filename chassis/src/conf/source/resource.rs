//! What the environment says that this process is: OpenTelemetry's variables, and those that Kubernetes fills.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

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

/// What these variables say. What is said on purpose goes before what is found.
pub(super) fn resource(environment: &BTreeMap<String, String>) -> Resource {
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
    resource.extend(said("OTEL_RESOURCE_ATTRIBUTES").into_iter().flat_map(|text| pairs(text)));
    resource.extend(said("OTEL_SERVICE_NAME").map(|name| ("service.name".to_owned(), name.clone())));
    resource
}

/// `key=value,key=value`, with values that are percent-encoded. What is not a pair is passed over.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(key, value)| (key.trim(), percent_decode_str(value.trim()).decode_utf8_lossy()));
    pairs.filter(|(key, _)| !key.is_empty()).map(|(key, value)| (key.to_owned(), value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        resource(&variables.iter().map(pair).collect()).into_iter().collect()
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
            ("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=b, team = a%2Cb ,odd,=x,service.name=one"),
            ("OTEL_SERVICE_NAME", "two"),
        ];
        assert_eq!(found(&said), is(&[("k8s.pod.name", "b"), ("service.name", "two"), ("team", "a,b")]));
    }
}
