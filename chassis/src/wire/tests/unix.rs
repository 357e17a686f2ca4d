//! Unix sockets: calls over them, and the files they are found by.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use super::rig::{Site, check, last, rest};
use crate::conf::BuildError;
use crate::protocol::{Address, Listen, Phase};
use crate::wire::{Limits, Sockets, serve};

async fn bind(path: &Path) -> Result<Sockets, BuildError> {
    Sockets::bind(&Listen::Unix(path.to_owned())).await
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

#[tokio::test]
async fn calls_come_over_a_unix_socket_and_its_file_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let sockets = bind(&path).await.unwrap();
    assert_eq!(sockets.address(), Address::Unix(path.clone()));
    let (phase, phases) = watch::channel(Phase::Serving);
    let serving = tokio::spawn(async move { serve(sockets, Site::default(), &Limits::default(), phases).await });
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(last("/x").as_bytes()).await.unwrap();
    check(&rest(&mut stream).await, 200, &["GET /x"]);
    phase.send_replace(Phase::Closing);
    serving.await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn the_socket_of_a_dead_process_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(is_socket(&path));
    let sockets = bind(&path).await.unwrap();
    assert!(is_socket(&path));
    drop(sockets);
    assert!(!path.exists());
}

#[tokio::test]
async fn the_socket_of_a_living_process_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let _living = UnixListener::bind(&path).unwrap();
    let error = bind(&path).await.map(|_| ()).unwrap_err();
    assert_eq!(error.help.as_deref(), Some("another process listens there: stop it, or choose another path"));
    assert!(is_socket(&path));
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "dear diary").unwrap();
    let error = bind(&path).await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("a file that is not a socket is there"), "{error}");
    assert!(path.is_file());
}

#[tokio::test]
async fn a_path_that_cannot_be_one_is_refused_with_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (path, expected) in [
        (path("absent/s.sock"), format!("the folder `{}` is not there: ", path("absent").display())),
        (folder.path().to_owned(), format!("name a file in it: `unix:{}/NAME.sock`", folder.path().display())),
        (path(&"x".repeat(200)), "the path of a socket has at most ".to_owned()),
    ] {
        let error = bind(&path).await.map(|_| ()).unwrap_err();
        assert!(error.help.as_deref().is_some_and(|help| help.starts_with(&expected)), "{error:?}");
    }
}

#[tokio::test]
async fn a_socket_that_took_over_the_path_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let former = bind(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let _successor = UnixListener::bind(&path).unwrap();
    drop(former);
    assert!(is_socket(&path));
}
