//! The driver on real servers, in one program: each test on every server that is configured.

mod borrowing;
mod connecting;
mod deploy;
mod examples;
mod functions;
mod settling;
#[cfg(feature = "sqlx")]
mod sqlx;
mod steps;
mod support;
