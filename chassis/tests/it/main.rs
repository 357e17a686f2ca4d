//! What chassis promises, through its public names only.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where what it stands on is missing"
)]
#![expect(clippy::needless_pass_by_value, reason = "an operation is given its arguments")]

mod rig;

mod access;
mod announced;
mod arguments;
mod attacks;
mod cases;
mod catalogs;
mod certificates;
mod chains;
mod components;
mod faults;
#[cfg(feature = "outgoing")]
mod issuer;
mod limits;
mod measured;
mod order;
mod preflights;
mod quotas;
mod receipts;
mod routes;
mod routing;
mod schema;
#[cfg(feature = "otlp")]
mod sent;
mod terms;
mod traces;
