//! What the author of a service needs, in one line: `use chassis::prelude::*;`.

pub use axum::body::{Body, Bytes};
pub use chassis_macros::{
    component, conf, delete, get, handler, head, operations, options, patch, post, put, route, schema,
};
pub use http::{HeaderMap, Method, StatusCode, Uri};

pub use crate::answer::{Accepted, Created, NoContent, Segment};
pub use crate::argument::{Argument, Deadline, Form, Header, Json, Path, Query};
pub use crate::component::{Component, Start, Starting};
pub use crate::conf::{BuildContext, BuildError, Configure, FileRef, Interval, Rate, Secret, Size};
pub use crate::fault::{Code, Fault, Violation};
pub use crate::handler::{Handler, Next, Verdict, Wrap};
pub use crate::invocation::{Call, Invocation, Peer};
pub use crate::principal::Principal;
pub use crate::reply::Reply;
pub use crate::schema::BoxFuture;
pub use crate::trace::TraceContext;
