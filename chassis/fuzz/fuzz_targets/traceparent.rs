//! Any bytes as `traceparent`: what is accepted is valid, and what is written back is what was read.

#![no_main]

use chassis::trace::parse_traceparent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(context) = parse_traceparent(bytes) else { return };
    assert!(context.is_set(), "an all-zero trace id is invalid (Trace Context §3.2.2.3)");
    assert_ne!(context.parent_id, [0; 8], "an all-zero parent id is invalid (Trace Context §3.2.2.4)");
});
