//! The migration model and the state machine of windlass.
//!
//! This crate opens no socket and knows no async runtime. A driver crate
//! (`windlass-postgres`, `windlass-mysql`, `windlass-sqlite`) brings the database.

#![warn(missing_debug_implementations)]
#![warn(clippy::return_self_not_must_use, clippy::missing_errors_doc, clippy::missing_panics_doc)]

pub mod application;
pub mod apply;
pub mod code;
pub mod diagnosis;
pub mod directive;
pub mod doctor;
pub mod drift;
pub mod driver;
#[doc(hidden)]
pub mod embedding;
pub mod history;
pub mod migration;
pub mod plan;
pub mod schema;
pub mod shadow;
pub mod sim;
pub mod source;
pub mod sql;
pub mod status;
pub mod url;
