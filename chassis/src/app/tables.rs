//! The route tables of the listeners, made from the operations of the schemas that each serves.

use std::sync::Arc;

use super::error::StartError;
use crate::operation::{Operation, Text};
use crate::route::{self, Route, Table};

/// A listener and the operations it serves.
pub(super) struct Served<'a> {
    pub(super) listener: &'a str,
    pub(super) schemas: Vec<&'a str>,
}

/// Makes a table for every listener. What the tables lead to are places in `operations`.
///
/// # Errors
/// Every fault of every template, and every two that cannot be told apart.
pub(super) fn build(
    listeners: &[Served<'_>],
    operations: &[Operation],
    conf: route::Conf,
) -> Result<Vec<(String, Arc<Table>)>, StartError> {
    let mut tables = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for served in listeners {
        let numbered = operations.iter().zip(0_u32..);
        let routes = numbered.filter(|(operation, _)| served.schemas.contains(&&*operation.schema)).map(route);
        match Table::build(routes, conf) {
            Ok(table) => tables.push((served.listener.to_owned(), Arc::new(table))),
            Err(found) => errors.extend(found.iter().map(ToString::to_string)),
        }
    }
    errors.extend(operations.iter().flat_map(misnamed));
    errors.sort();
    errors.dedup();
    if errors.is_empty() { Ok(tables) } else { Err(StartError::Routes(errors)) }
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
        let Err(StartError::Routes(errors)) = build(&[], &operations, route::Conf::default()) else {
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
