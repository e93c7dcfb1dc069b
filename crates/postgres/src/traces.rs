//! Traces: what is told through `tracing`, where the feature of that name is on, and nobody asked for.

#[cfg(feature = "tracing")]
use crate::transport::chain;
use std::error::Error;
use std::path::Path;

#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told then"))]
pub(crate) fn could_not_ask_to_stop(error: &dyn Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(error = %chain(error), "the server could not be asked to stop");
}

#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told then"))]
pub(crate) fn connection_ended(error: &dyn Error) {
    #[cfg(feature = "tracing")]
    tracing::debug!(error = %chain(error), "the connection ended");
}

#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told then"))]
pub(crate) fn password_file_is_not_used(file: &Path) {
    #[cfg(feature = "tracing")]
    tracing::warn!(file = %file.display(), "password file is not used: others may read it, make it mode 0600");
}
