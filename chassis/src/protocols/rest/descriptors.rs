//! How many file descriptors the process may open, as far as the system says.

use std::path::PathBuf;

use crate::conf::{FileRef, Files};

/// The number of file descriptors, if so many connections take more than half of them. The rest is for files, and for
/// connections of the process's own.
pub(super) fn few_for(connections: usize, files: &dyn Files) -> Option<u64> {
    let limits = files.read(&FileRef(PathBuf::from("/proc/self/limits"))).ok()?;
    let descriptors = soft_limit(std::str::from_utf8(&limits).ok()?)?;
    (connections as u64 > descriptors / 2).then_some(descriptors)
}

/// The soft limit in the text that Linux shows (proc_pid_limits(5)); `None` if there is no limit.
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::BuildError;

    struct Proc(&'static str);

    impl Files for Proc {
        fn read(&self, _: &FileRef) -> Result<Vec<u8>, BuildError> {
            Ok(self.0.as_bytes().to_vec())
        }
    }

    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                          Max processes             63421                63421                processes \n\
                          Max open files            1024                 1048576              files     \n";

    #[test]
    fn connections_may_take_half_of_the_descriptors() {
        assert_eq!(few_for(512, &Proc(LIMITS)), None);
        assert_eq!(few_for(513, &Proc(LIMITS)), Some(1024));
    }

    #[test]
    fn what_the_system_does_not_say_is_enough() {
        assert_eq!(few_for(10_000, &Proc("")), None);
        assert_eq!(few_for(10_000, &Proc("Max open files unlimited unlimited files")), None);
    }
}
