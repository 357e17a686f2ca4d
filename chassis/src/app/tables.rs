//! The route tables of the listeners, made from the operations of the schemas that each serves.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::conf::Conf;
use crate::operation::{Operation, Text};
use crate::route::{self, Route, Table};

/// The table of each listener.
pub(super) type Tables = Vec<(String, Arc<Table>)>;

/// Makes a table for every listener. What the tables lead to are places in `operations`.
///
/// # Errors
/// Every fault of every template, and every two that cannot be told apart.
pub(super) fn build(listeners: &[String], operations: &[Operation], conf: route::Conf) -> Result<Tables, Vec<String>> {
    let mut tables = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for listener in listeners {
        let numbered = operations.iter().zip(0_u32..);
        let routes = numbered.filter(|(operation, _)| operation.listeners.iter().any(|one| one == listener)).map(route);
        match Table::build(routes, conf) {
            Ok(table) => tables.push((listener.clone(), Arc::new(table))),
            Err(found) => errors.extend(found.iter().map(ToString::to_string)),
        }
    }
    errors.extend(operations.iter().flat_map(misnamed));
    errors.sort();
    errors.dedup();
    if errors.is_empty() { Ok(tables) } else { Err(errors) }
}

/// Says of every operation which of these listeners serve it, and whether callers may show certificates there.
pub(super) fn assign(operations: &mut [Operation], listeners: &[String], conf: &Conf, catalog: &Catalog) {
    let opened: Vec<_> = conf.listeners.iter().filter(|opened| listeners.contains(&opened.name)).collect();
    for operation in operations {
        let serving: Vec<_> = opened.iter().filter(|opened| conf.listeners.serves(opened, &operation.schema)).collect();
        operation.listeners = serving.iter().map(|opened| Text::Owned(opened.name.clone())).collect();
        operation.asks_for_certificates = serving.iter().any(|opened| {
            let protocol = catalog.protocol(&opened.protocol);
            protocol.is_some_and(|protocol| (protocol.asks_for_certificates)(&conf.listener(&opened.name).value()))
        });
    }
}

fn route((operation, target): (&Operation, u32)) -> Route {
    Route {
        method: operation.method.clone(),
        template: operation.template.clone(),
        target,
        place: format!("{} ({})", operation.id, operation.location),
    }
}

/// What an operation takes from the path by a name that its template does not have.
fn misnamed(operation: &Operation) -> impl Iterator<Item = String> {
    let Operation { id, location, template, .. } = operation;
    operation.missing_parameters().map(move |name| {
        format!(
            "{id} ({location}) takes `{name}` from the path, and `{template}` has no parameter of that name: rename the \
             field or the parameter"
        )
    })
}

/// Names the path parameters of every operation. A template that is wrong is reported by its table.
pub(super) fn name_parameters(operations: &mut [Operation]) {
    for operation in operations {
        let names = route::parameters(&operation.template).unwrap_or_default();
        operation.parameters = names.into_iter().map(Text::Owned).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_no_parameter_fills_keeps_the_service_from_starting() {
        let mut operation = Operation::new("posts", "show", "GET", "/{user}/{post}");
        operation.by_name = vec!["user".into(), "pots".into()];
        let mut operations = [operation];
        name_parameters(&mut operations);
        let Err(errors) = build(&[], &operations, route::Conf::default()) else {
            panic!("it was accepted");
        };
        assert_eq!(
            errors,
            [
                "posts.show (made at run time) takes `pots` from the path, and `/{user}/{post}` has no parameter of that \
              name: rename the field or the parameter"
            ]
        );
    }
}
