//! The driver's contract on real servers: `cargo xtask test` provides them.

mod borrowing;
mod connecting;
mod deploying;
mod examples;
mod functions;
mod history;
mod inspecting;
mod looking;
mod performing;
mod remnants;
mod session;
#[cfg(feature = "sqlx")]
mod sqlx;
mod support;
mod testing;
mod trusting;
