//! What is measured, as OpenTelemetry's semantic conventions name it.

use crate::metrics::{Kind, Spec, Unit};

/// The boundaries that the conventions ask for.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The conventions name none for sizes: powers of four, from a line of text to what is a file.
const BYTES: &[f64] =
    &[256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0, 67_108_864.0];

/// From a hook that looks at one field to one that waits for others.
const HOOKS: &[f64] = &[1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0];

pub(super) static DURATION: Spec = Spec {
    name: "http.server.request.duration",
    help: "How long calls took, until the reply was ready or its last byte was sent.",
    unit: Unit::Seconds,
    kind: Kind::Histogram(SECONDS),
};

pub(super) static ACTIVE: Spec = Spec {
    name: "http.server.active_requests",
    help: "Calls under way.",
    unit: Unit::Count("request"),
    kind: Kind::Gauge,
};

pub(super) static REQUEST_SIZE: Spec = Spec {
    name: "http.server.request.body.size",
    help: "The lengths that requests said of their bodies.",
    unit: Unit::Bytes,
    kind: Kind::Histogram(BYTES),
};

pub(super) static RESPONSE_SIZE: Spec = Spec {
    name: "http.server.response.body.size",
    help: "The lengths of the bodies of replies, problem documents among them.",
    unit: Unit::Bytes,
    kind: Kind::Histogram(BYTES),
};

pub(super) static HANDLER: Spec = Spec {
    name: "chassis.handler.duration",
    help: "What a handler itself cost a call, of the share of calls for which that is measured.",
    unit: Unit::Seconds,
    kind: Kind::Histogram(HOOKS),
};
