//! The connection to Redis: made once, used by all, made anew after a failure, or when it ended while nobody asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::Shared;

use super::target::{Established, Target};
use crate::lock::locked;

/// A connection that is there, is being made, or could not be made.
type Connecting = Shared<Pin<Box<dyn Future<Output = Result<Established, String>> + Send>>>;

/// The connection, and what it goes to.
pub(super) struct Link {
    target: Arc<Target>,
    current: Mutex<Option<Connecting>>,
}

impl Link {
    pub(super) fn new(target: Target) -> Self {
        Self { target: Arc::new(target), current: Mutex::default() }
    }

    /// Where it goes, without user and password.
    pub(super) fn address(&self) -> &str {
        self.target.address()
    }

    /// The connection, made if there is none. A call that cannot wait leaves; the next one finds what it began.
    pub(super) fn connection(&self) -> Connecting {
        let mut current = locked(&self.current);
        // One that came to nothing or ended while nobody asked says nothing about now.
        current.take_if(|connecting| match connecting.clone().now_or_never() {
            Some(Ok(established)) => established.has_ended(),
            Some(Err(_)) => true,
            None => false,
        });
        current.get_or_insert_with(|| begun(Arc::clone(&self.target))).clone()
    }

    /// Runs a script.
    ///
    /// # Errors
    /// Why there is no answer; the next call makes another connection.
    pub(super) async fn ask(
        &self,
        script: &::redis::Script,
        keys: &[String],
        arguments: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, String> {
        let connecting = self.connection();
        let answer = match connecting.clone().await {
            Ok(Established { mut connection, .. }) => {
                let mut question = script.prepare_invoke();
                keys.iter().for_each(|key| _ = question.key(key));
                arguments.iter().for_each(|argument| _ = question.arg(argument.as_slice()));
                question.invoke_async(&mut connection).await.map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        if answer.is_err() {
            self.forget(&connecting);
        }
        answer
    }

    /// Lets go of a connection that does not answer. One that is still being made is waited for: it has its own bound.
    pub(super) fn forget_established(&self) {
        locked(&self.current).take_if(|connecting| connecting.peek().is_some());
    }

    fn forget(&self, failed: &Connecting) {
        locked(&self.current).take_if(|connecting| connecting.ptr_eq(failed));
    }
}

/// Connects beside the calls, so that it goes on when the call that needed it has left.
fn begun(target: Arc<Target>) -> Connecting {
    let task = tokio::spawn(async move { target.connect().await });
    let connection: Pin<Box<dyn Future<Output = _> + Send>> =
        Box::pin(task.map(|joined| joined.unwrap_or_else(|error| Err(error.to_string()))));
    connection.shared()
}
