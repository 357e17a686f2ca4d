//! The traits that generated code asks of types, each again under a name of its own: asked for directly, the compiler
//! would list every type that has one, and bury what to do.

use crate::argument::Argument;
use crate::component::Start;
use crate::condition::Operator;
use crate::conf::Configure;
use crate::handler::{Handler, Wrap};

/// A [`Configure`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be built from configuration",
    label = "`Configure` is not implemented for it",
    note = "write `impl Configure for {Self} {{ type Conf = …; fn build(conf, context) -> … }}`; `type Conf = ()` if it takes none"
)]
pub trait IsConfigured: Configure {}

#[diagnostic::do_not_recommend]
impl<T: Configure> IsConfigured for T {}

/// A [`Handler`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "neither `before` nor `after` is implemented for it",
    note = "write `impl Handler for {Self}`, or `impl Wrap for {Self}` together with `#[handler(\"name\", wrap)]`"
)]
pub trait Hooks: Handler {}

#[diagnostic::do_not_recommend]
impl<T: Handler> Hooks for T {}

/// A [`Wrap`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not wrap the rest of a chain",
    label = "`wrap` is not implemented for it",
    note = "write `impl Wrap for {Self}`, or drop `wrap` from `#[handler(…)]` if hooks are enough"
)]
pub trait Wraps: Wrap {}

#[diagnostic::do_not_recommend]
impl<T: Wrap> Wraps for T {}

/// A [`Start`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a component",
    label = "`Start` is not implemented for it",
    note = "mark the struct `#[component(\"name\")]` and write `impl Start for {Self}`"
)]
pub trait Starts: Start {}

#[diagnostic::do_not_recommend]
impl<T: Start> Starts for T {}

/// An [`Operator`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operator",
    label = "`Operator` is not implemented for it",
    note = "write `impl Operator for {Self} {{ type Conf = String; fn build(conf) -> …; fn holds(&self, text) -> … }}`"
)]
pub trait Compares: Operator {}

#[diagnostic::do_not_recommend]
impl<T: Operator> Compares for T {}

/// An [`Argument`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of an operation",
    label = "chassis does not know how to take this out of a call",
    note = "arguments are `Path<T>`, `Query<T>`, `Header<T>`, `Json<T>`, `Form<T>`, `Principal`, `Component<T>`, and whatever axum can extract",
    note = "the `T` of `Component<T>` is marked `#[component(\"name\")]`; that of the others is read from the call and needs `#[derive(Deserialize)]`"
)]
pub trait Taken<M>: Argument<M> {}

#[diagnostic::do_not_recommend]
impl<T: Argument<M>, M> Taken<M> for T {}
