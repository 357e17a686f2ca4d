//! What the code that the attributes write calls. It changes whenever they do: nobody else may rely on it.

use std::any::TypeId;
use std::sync::Arc;

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::catalog::{Built, ComponentEntry, HandlerEntry, Head, OperatorEntry, Place, SchemaEntry};
use crate::chain::Form;
use crate::component::{Running, Start, Starting};
use crate::condition::{Comparison, Operator};
use crate::conf::{BuildContext, BuildError, Configure};
use crate::operation::{Location, Operation};
use crate::schema::{BoxFuture, Mounted, Schema, describe};

mod answer;
mod bounds;
mod conf;
mod path;
mod requires;
mod take;

#[cfg(test)]
mod tests;

pub use answer::{Answer, IntoFault, answer, call, document, done, fail, failure};
pub use bounds::{Compares, Hooks, IsConfigured, Starts, Taken, Wraps};
pub use conf::{ConfValue, Fresh, accepts, conf_value, fresh, read, within, within_option};
pub use path::{fields, has_parameters};
pub use requires::{Probe, RequiresNothing, argument};
pub use take::{last, part};
pub use {linkme, schemars, serde};

/// Where an attribute stands and what it says.
pub struct Said {
    /// The name in YAML.
    pub name: &'static str,
    /// The doc comment.
    pub doc: &'static str,
    /// Where it is written.
    pub location: Location,
}

impl Said {
    const fn head<C: JsonSchema>(self) -> Head {
        Head { name: self.name, doc: self.doc, location: self.location, conf: json_schema::<C> }
    }
}

fn json_schema<C: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    C::json_schema(generator)
}

type Build = for<'a> fn(Value, &'a mut Starting<'_>) -> BoxFuture<'a, Result<Vec<Mounted>, BuildError>>;

/// The entry of a schema whose configuration is a `C`.
pub const fn schema<S: Schema, C: DeserializeOwned + JsonSchema>(said: Said, build: Build) -> SchemaEntry {
    SchemaEntry { head: said.head::<C>(), operations: describe::<S>, accepts: accepts::<C>, build }
}

/// What a handler says of itself beyond its name.
pub struct Stand {
    /// The facts that must be established before it.
    pub requires: &'static [&'static str],
    /// The facts it establishes.
    pub provides: &'static [&'static str],
    /// Where in a chain it may stand.
    pub place: Place,
    /// Whether a chain may list it more than once.
    pub repeatable: bool,
    /// Whether it answers preflights.
    pub preflight: bool,
}

impl Stand {
    const fn entry<H: Configure>(
        self,
        head: Head,
        wraps: bool,
        build: fn(Value, &BuildContext<'_>) -> Result<Built, BuildError>,
    ) -> HandlerEntry {
        let Self { requires, provides, place, repeatable, preflight } = self;
        let (accepts, suits) = (accepts::<H::Conf>, suits::<H>);
        HandlerEntry { head, requires, provides, place, repeatable, wraps, preflight, accepts, build, suits }
    }
}

/// The entry of a handler that hooks into calls.
pub const fn hooks<H: IsConfigured + Hooks>(said: Said, stand: Stand) -> HandlerEntry {
    stand.entry::<H>(said.head::<H::Conf>(), false, |conf, context| {
        built::<H>(conf, context, |handler| Form::Hooks(Arc::new(handler)))
    })
}

/// The entry of a handler that wraps the rest of the chain.
pub const fn wrap<H: IsConfigured + Wraps>(said: Said, stand: Stand) -> HandlerEntry {
    stand.entry::<H>(said.head::<H::Conf>(), true, |conf, context| {
        built::<H>(conf, context, |handler| Form::Wrap(Arc::new(handler)))
    })
}

fn built<H: Configure>(conf: Value, context: &BuildContext<'_>, form: fn(H) -> Form) -> Result<Built, BuildError> {
    let conf = read(conf)?;
    let (requires, marks) = (H::requires(&conf), H::marks(&conf));
    let conditions = H::conditions(&conf).into_iter().map(|(key, when)| (key, when.clone())).collect();
    H::build(conf, context).map(|handler| Built { form: form(handler), requires, conditions, marks })
}

fn suits<H: Configure>(conf: Value, operations: &[&Operation]) -> Result<(), BuildError> {
    H::suits(&read(conf)?, operations)
}

/// The entry of a component.
pub const fn component<T: Starts>(said: Said) -> ComponentEntry {
    ComponentEntry { head: said.head::<T::Conf>(), id: TypeId::of::<T>, accepts: accepts::<T::Conf>, start: start::<T> }
}

/// The entry of an operator of conditions.
pub const fn operator<T: Compares>(said: Said) -> OperatorEntry {
    OperatorEntry { head: said.head::<T::Conf>(), denies: T::DENIES, build: operates::<T> }
}

fn operates<T: Operator>(conf: Value) -> Result<Comparison, BuildError> {
    let operator = T::build(read(conf)?)?;
    Ok(Box::new(move |text| operator.holds(text)))
}

fn start<'a, T: Start>(
    conf: Value,
    starting: &'a mut Starting<'_>,
) -> BoxFuture<'a, Result<Arc<dyn Running>, BuildError>> {
    Box::pin(async move {
        let conf = read(conf)?;
        let component = T::start(conf, starting).await?;
        Ok(Arc::new(Started(Arc::new(component))) as Arc<dyn Running>)
    })
}

struct Started<T>(Arc<T>);

impl<T: Start> Running for Started<T> {
    fn shared(&self) -> &(dyn std::any::Any + Send + Sync) {
        &self.0
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.stop())
    }
}
