//! Something started before calls and stopped after them: a database pool, a bus, a cache.

use std::any::{Any, TypeId};
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::conf::BuildError;
use crate::fault::Fault;
use crate::invocation::Call;
use crate::schema::BoxFuture;

/// A component: a type marked `#[component("name")]`, started once, shared by all.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a component",
    label = "`Start` is not implemented for it",
    note = "mark the struct `#[component(\"name\")]` and write `impl Start for {Self}`"
)]
pub trait Start: Sized + Send + Sync + 'static {
    /// What YAML says about it, under `components.NAME`. A struct marked `#[conf]`, or `()`.
    type Conf: DeserializeOwned + JsonSchema;

    /// Makes it ready for use. A component it needs is asked for with [`Starting::component`], which starts that one first.
    ///
    /// The future is dropped where it waits if the process is told to end meanwhile; [`stop`](Self::stop) is called for
    /// those components only that had started by then.
    ///
    /// So it is when `start.deadline` is over. Both see only a future that waits: it must not block its thread.
    ///
    /// # Errors
    /// Why it cannot be used; everything started before it is stopped again.
    fn start(conf: Self::Conf, starting: &mut Starting<'_>) -> impl Future<Output = Result<Self, BuildError>> + Send;

    /// Lets go of what it holds. Called once, after the last call, before the components it needs are stopped.
    fn stop(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// A component that was started, its type forgotten.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a running component",
    label = "`Running` is not implemented for it",
    note = "`#[component(\"name\")]` makes one from every type that implements `Start`"
)]
pub trait Running: Send + Sync {
    /// The component as an `Arc<T>` behind `Any`, as [`Starting`] and calls are handed it.
    fn shared(&self) -> &(dyn Any + Send + Sync);

    /// Stops it.
    fn stop(&self) -> BoxFuture<'_, ()>;
}

/// What a component may use while it starts.
pub struct Starting<'a> {
    source: &'a mut dyn Supply,
}

/// Hands out components, starting those that are not started yet.
pub(crate) trait Supply: Send {
    fn supply(&mut self, id: TypeId, name: &'static str) -> BoxFuture<'_, Result<Arc<dyn Running>, BuildError>>;
}

impl<'a> Starting<'a> {
    pub(crate) fn new(source: &'a mut dyn Supply) -> Self {
        Self { source }
    }

    /// The component of type `T`, started if it was not.
    ///
    /// # Errors
    /// It is not linked in, does not start, or needs the one that asks for it.
    pub async fn component<T: Start>(&mut self) -> Result<Component<T>, BuildError> {
        let name = std::any::type_name::<T>();
        let running = self.source.supply(TypeId::of::<T>(), name).await?;
        let component = running.shared().downcast_ref().cloned();
        component.map(Component).ok_or_else(|| {
            BuildError::new("", format!("`{name}` is not what its entry says"))
                .with_help("mark it with `#[component(\"name\")]`, which writes its entry")
        })
    }
}

/// A component in use: an argument of an operation or a field of a schema.
pub struct Component<T>(pub Arc<T>);

impl<T> Clone for Component<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Component<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Start> FromRequestParts<Call> for Component<T> {
    type Rejection = Fault;

    async fn from_request_parts(_: &mut Parts, call: &Call) -> Result<Self, Fault> {
        let component = call.component::<T>().cloned();
        component
            .map(Self)
            .ok_or_else(|| Fault::internal(format!("component `{}` is not linked in", std::any::type_name::<T>())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Code;
    use crate::invocation::fixture::{Stand, request};
    use crate::invocation::{Invocation, Params};

    struct Pool(u8);

    impl Start for Pool {
        type Conf = ();

        async fn start((): (), _: &mut Starting<'_>) -> Result<Self, BuildError> {
            Ok(Self(0))
        }
    }

    async fn taken(stand: Stand) -> Result<u8, Code> {
        let Invocation { mut parts, call, .. } = Arc::new(stand).call(request("GET", "/"), Params::default());
        let pool = Component::<Pool>::from_request_parts(&mut parts, &call).await;
        pool.map(|pool| pool.0.0).map_err(|fault| fault.code())
    }

    #[tokio::test]
    async fn a_call_hands_out_the_component_of_the_type_that_is_asked_for() {
        assert_eq!(taken(Stand::default().with_component(7_u8).with_component(Pool(7))).await, Ok(7));
        assert_eq!(taken(Stand::default()).await, Err(Code::Internal));
    }
}
