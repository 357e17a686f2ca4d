//! Proves what chain promises.
