//! What chassis promises, through its public names only.

mod rig;

mod arguments;
mod catalogs;
mod chains;
mod components;
mod faults;
mod order;
mod routes;
mod routing;
