//! What the operating system says of this process.

use std::path::Path;

use super::bounded;

/// The most that is read: it is a few pages at most.
const LONGEST: usize = 64 << 10;

/// The text of `/proc/self/NAME`, where there is such a thing.
pub(crate) fn own(name: &str) -> Option<String> {
    String::from_utf8(bounded(&Path::new("/proc/self").join(name), LONGEST).ok()?).ok()
}
