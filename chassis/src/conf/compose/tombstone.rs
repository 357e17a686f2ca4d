//! Keys that are gone, and what to write instead.

use crate::conf::path::{KeyPath, Step};

/// A key that is gone. Whoever still writes it is told what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The whole path of the key. A `*` stands for any one key: `protocols.*.port`.
    pub key: &'static str,
    /// What to write instead: the end of a sentence that begins with what is wrong, such as `` write `listen` ``.
    pub instead: &'static str,
}

impl Tombstone {
    /// Whether this is the key that is gone.
    pub(crate) fn is_of(&self, path: &KeyPath) -> bool {
        let gone = KeyPath::parse(self.key);
        let same = |(one, other): (&Step, &Step)| one == other || *one == Step::Key("*".to_owned());
        gone.steps().len() == path.steps().len() && gone.steps().iter().zip(path.steps()).all(same)
    }
}

/// The keys that are gone, and those that readers of other frameworks try first.
pub const TOMBSTONES: &[Tombstone] = &[
    Tombstone { key: "name", instead: "write `service.name`" },
    Tombstone { key: "version", instead: "write `service.version`" },
    Tombstone { key: "listen", instead: "write `protocols.rest.listen`" },
    Tombstone { key: "port", instead: "write `protocols.rest.listen: \":8080\"`" },
    Tombstone { key: "protocols.*.port", instead: "write `listen: \":8080\"`" },
    Tombstone { key: "protocols.*.address", instead: "write `listen: \"127.0.0.1:8080\"`" },
    Tombstone { key: "protocols.*.tls", instead: "end TLS in the proxy before the service" },
    Tombstone { key: "admin.port", instead: "write `admin.listen: \":9090\"`" },
    Tombstone { key: "chain.default", instead: "write `chain.provider.default`" },
    Tombstone { key: "chain.consumer", instead: "remove it: calls that the service makes pass no chain yet" },
    Tombstone { key: "log.color", instead: "write `log.colour`" },
    Tombstone { key: "server", instead: "write `protocols.rest` for calls and `admin` for operators" },
    Tombstone {
        key: "middleware",
        instead: "list handlers in `chain.provider.default`, configure them under `handlers`",
    },
    Tombstone { key: "logging", instead: "write `log`" },
    Tombstone { key: "shutdown", instead: "write `drain`" },
];
