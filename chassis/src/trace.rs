//! The W3C trace context of a call (Trace Context level 2): identity and sampling, no I/O.

use std::fmt;

/// Which trace a call belongs to. All zero until a handler sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace: 16 bytes, not all zero once set.
    pub trace_id: [u8; 16],
    /// This call's own span.
    pub span_id: [u8; 8],
    /// The caller's span; all zero at the root.
    pub parent_id: [u8; 8],
    /// `trace-flags`: bit 0 sampled, bit 1 random.
    pub flags: u8,
}

impl TraceContext {
    /// Whether a handler set it.
    pub fn is_set(&self) -> bool {
        self.trace_id != [0; 16]
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// The trace id as 32 lower-case hexadecimal digits, if there is one.
    pub fn trace_id(&self) -> Option<Hex<'_>> {
        self.is_set().then_some(Hex(&self.trace_id))
    }
}

/// Bytes that print as lower-case hexadecimal digits.
#[derive(Clone, Copy)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
