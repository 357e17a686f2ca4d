//! Keys that are gone, and what to write instead.

/// A key that is gone. Whoever still writes it is told what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The whole path of the key.
    pub key: &'static str,
    /// What to write instead.
    pub instead: &'static str,
}

/// The keys that are gone, and those that readers of other frameworks try first.
pub const TOMBSTONES: &[Tombstone] = &[
    Tombstone { key: "name", instead: "write `service.name`" },
    Tombstone { key: "version", instead: "write `service.version`" },
    Tombstone { key: "listen", instead: "write `protocols.rest.listen`" },
    Tombstone { key: "port", instead: "write `protocols.rest.listen: \":8080\"`" },
    Tombstone { key: "server", instead: "write `protocols.rest` for calls and `admin` for operators" },
    Tombstone {
        key: "middleware",
        instead: "list handlers in `chain.provider.default`, configure them under `handlers`",
    },
    Tombstone { key: "logging", instead: "write `log`" },
    Tombstone { key: "shutdown", instead: "write `drain`" },
];
