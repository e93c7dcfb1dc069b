//! Where a throwaway server cannot be ended by a signal, there is none.

use std::convert::Infallible;
use std::path::Path;
use windlass_core::driver::Capabilities;

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[error("a throwaway server is not to be had on this system")]
pub(crate) struct LocalServerError;

impl LocalServerError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some("`--shadow-database-url URL` names a server that runs already".to_owned())
    }
}

pub(crate) struct LocalServer(Infallible);

impl LocalServer {
    pub(crate) fn start(_: &Capabilities, _: Option<&Path>) -> Result<Self, LocalServerError> {
        Err(LocalServerError)
    }

    pub(crate) fn url(&self) -> &str {
        match self.0 {}
    }

    pub(crate) fn check(&mut self) -> Result<(), LocalServerError> {
        match self.0 {}
    }
}
