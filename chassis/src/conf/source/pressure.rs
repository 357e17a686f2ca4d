//! How much of its memory and of its file descriptors this process uses, as the operating system says.

use std::fs;
use std::io;
use std::path::Path;

use super::bounded;
use super::own::own;
use crate::descriptors;

/// The most that is read of a file: it is a few pages at most.
const LONGEST: usize = 64 << 10;

/// The part of its memory limit that the control group of this process uses, of one; the tightest of those it is in.
/// What the kernel would give back at once, because it only caches files, does not count. `None` without a limit.
pub(crate) fn memory() -> Option<f64> {
    let groups = own("cgroup")?;
    groups.lines().find_map(group).and_then(|(tree, path)| tightest(tree, path))
}

/// The part of the file descriptors it may have that this process has, of one. `None` where nobody says.
pub(crate) fn descriptors() -> Option<f64> {
    let most = descriptors::limit()?;
    match open_descriptors() {
        Ok(open) => Some(open / most as f64),
        Err(error) => descriptors::are_used_up(&error).then_some(1.0),
    }
}

/// How many file descriptors this process has.
pub(crate) fn open_descriptors() -> io::Result<f64> {
    Ok(fs::read_dir("/proc/self/fd")?.count() as f64)
}

/// The names of one version of control groups.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tree {
    root: &'static str,
    usage: &'static str,
    limit: &'static str,
    cached: &'static str,
}

const FIRST: Tree = Tree {
    root: "/sys/fs/cgroup/memory",
    usage: "memory.usage_in_bytes",
    limit: "memory.limit_in_bytes",
    cached: "total_inactive_file",
};

const SECOND: Tree =
    Tree { root: "/sys/fs/cgroup", usage: "memory.current", limit: "memory.max", cached: "inactive_file" };

/// The version and path that a line such as `4:memory:/docker/1` or `0::/user.slice` says, if it is about memory.
fn group(line: &str) -> Option<(Tree, &str)> {
    let mut parts = line.splitn(3, ':');
    let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    if controllers.split(',').any(|controller| controller == "memory") {
        return Some((FIRST, path));
    }
    // Where both versions are mounted, memory is counted by the one that lists it.
    (id == "0" && Path::new(SECOND.root).join("cgroup.controllers").exists()).then_some((SECOND, path))
}

/// The largest part used of the limits from this group up to the root.
fn tightest(tree: Tree, path: &str) -> Option<f64> {
    let root = Path::new(tree.root);
    let inside = root.join(path.trim_start_matches('/'));
    // A container sees its own group as the root, whatever the path says.
    let from = if inside.is_dir() { inside } else { root.to_owned() };
    let groups = from.ancestors().take_while(|group| group.starts_with(root));
    groups.filter_map(|group| used(tree, group)).max_by(f64::total_cmp)
}

fn used(tree: Tree, group: &Path) -> Option<f64> {
    let limit = number(&read(&group.join(tree.limit))?)?;
    let usage = number(&read(&group.join(tree.usage))?)?;
    let cached = read(&group.join("memory.stat")).and_then(|stat| statistic(&stat, tree.cached));
    Some((usage - cached.unwrap_or(0.0)).max(0.0) / limit)
}

fn read(path: &Path) -> Option<String> {
    String::from_utf8(bounded(path, LONGEST).ok()?).ok()
}

/// A number of bytes. `max`, and what the first version writes instead, is none.
fn number(text: &str) -> Option<f64> {
    const NO_LIMIT: u64 = 1 << 62;
    let bytes = text.trim().parse::<u64>().ok().filter(|bytes| (1..NO_LIMIT).contains(bytes))?;
    Some(bytes as f64)
}

fn statistic(text: &str, name: &str) -> Option<f64> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.find(|(known, _)| *known == name)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_memory_is_found_in_both_versions() {
        assert_eq!(group("4:memory:/docker/1"), Some((FIRST, "/docker/1")));
        assert_eq!(group("4:cpu,memory:/a:b"), Some((FIRST, "/a:b")));
        assert_eq!(group("4:cpu:/docker/1"), None);
        assert_eq!(group("nonsense"), None);
    }

    #[test]
    fn what_is_used_is_a_part_of_the_tightest_limit_without_what_is_only_cached() {
        let root = tempfile::tempdir().unwrap();
        let say = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
        say("memory.current", "900\n");
        say("memory.max", "1000\n");
        say("memory.stat", "anon 300\ninactive_file 400\n");
        assert_eq!(used(SECOND, root.path()), Some(0.5));
        say("memory.max", "max\n");
        assert_eq!(used(SECOND, root.path()), None);
        say("memory.usage_in_bytes", "100");
        say("memory.limit_in_bytes", "200");
        assert_eq!(used(FIRST, root.path()), Some(0.5));
        say("memory.limit_in_bytes", "9223372036854771712");
        assert_eq!(used(FIRST, root.path()), None);
    }

    #[test]
    fn some_descriptors_are_always_in_use() {
        if cfg!(target_os = "linux") && descriptors::limit().is_some() {
            assert!(descriptors().is_some_and(|part| part > 0.0 && part < 1.0));
        }
    }
}
