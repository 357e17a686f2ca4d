//! Unix sockets: taking over a path that a dead process left, and leaving none behind.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use tokio::net::{UnixListener, UnixStream};

/// A Unix socket that listens. Its path is removed with it, unless another process has taken the path over.
pub(super) struct UnixSocket {
    listener: UnixListener,
    file: SocketFile,
}

struct SocketFile {
    path: PathBuf,
    id: Option<FileId>,
}

/// The device and number of a file, which tell it apart from one that was put in its place.
type FileId = (u64, u64);

impl UnixSocket {
    pub(super) async fn bind(path: &Path) -> io::Result<Self> {
        remove_stale(path).await?;
        let listener = UnixListener::bind(path)?;
        Ok(Self { listener, file: SocketFile { path: path.to_owned(), id: file_id(path) } })
    }

    pub(super) fn path(&self) -> &Path {
        &self.file.path
    }

    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        self.listener.poll_accept(cx).map_ok(|(stream, _)| stream)
    }

    /// Removes the path, and hands over what may still have connections waiting.
    pub(super) fn close(self) -> io::Result<std::os::unix::net::UnixListener> {
        self.listener.into_std()
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.id.is_some() && file_id(&self.path) == self.id {
            // At worst the path stays, and the next process finds it stale.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn file_id(path: &Path) -> Option<FileId> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Removes the path if a process that is gone left its socket there. Anything else that is there stays.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if found.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !found.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is not a socket is there"));
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}
