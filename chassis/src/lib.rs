//! A microservice chassis: annotated structs answer calls through a chain of handlers named in YAML.

// Lets the attributes name `::chassis` inside this crate as they do everywhere else.
extern crate self as chassis;

pub use chassis_macros::{
    component, conf, delete, get, handler, head, operations, operator, options, patch, post, put, route, schema,
};

#[doc(hidden)]
pub mod generated;

pub mod prelude;

pub mod app;
pub mod cli;
#[cfg(feature = "testing")]
pub mod testing;

pub mod admin;
pub mod lifecycle;
pub mod telemetry;

pub mod handlers;
pub mod protocols;

pub mod provider;
mod wire;

pub mod background;
pub mod catalog;
pub mod chain;
pub mod component;
pub mod condition;
pub mod conf;
pub mod descriptors;
pub mod handler;
pub mod memory;
pub mod metrics;
pub mod outbox;
pub mod outgoing;
pub mod protocol;
pub mod redis;
pub mod route;

pub mod answer;
pub mod argument;
pub mod clock;
pub mod fault;
mod field;
pub mod invocation;
mod lane;
mod lock;
pub mod operation;
pub mod principal;
pub mod random;
pub mod reply;
pub mod schema;
pub mod trace;

/// The whole `main` of a service: `chassis::main!();`. The service takes its name and version from its `Cargo.toml`.
///
/// A service that mounts something by hand, or changes what it answers while it serves, says so here, and all its
/// commands know of it:
///
/// ```no_run
/// use axum::Router;
/// use chassis::app::mount_router;
/// use chassis::operation::Access;
///
/// chassis::main!(|app| app.mount_operations(mount_router("legacy", "/legacy", &Access::Public, Router::new())));
/// ```
#[macro_export]
macro_rules! main {
    () => {
        $crate::main!(|app| app);
    };
    ($setup:expr) => {
        fn main() -> ::std::process::ExitCode {
            let setup: fn($crate::app::App) -> $crate::app::App = $setup;
            $crate::cli::run(setup($crate::app::App::new($crate::cli::Package {
                name: ::core::env!("CARGO_PKG_NAME"),
                version: ::core::env!("CARGO_PKG_VERSION"),
            })))
        }
    };
}
