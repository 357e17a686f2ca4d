//! The handlers that come with chassis, one file or folder each; none of them knows another.

pub mod auth;
pub mod concurrency;
pub mod cors;
pub mod limit_body;
pub mod rate_limit;
pub mod request_id;
