//! What peers see of a listener, whatever they send.

mod batch;
mod drain;
mod framing;
mod http1;
mod http2;
mod malformed;
mod peer2;
mod rig;
mod room;
mod slow;
mod sockets;
mod timeouts;
#[cfg(feature = "tls")]
mod tls;
mod unix;
