//! The protocols that come with chassis, one file or folder each; none of them knows another.

pub mod rest;
