//! The driver's contract on real servers: `cargo xtask test` provides them.

mod connecting;
mod deploying;
mod history;
mod inspecting;
mod performing;
mod session;
mod support;
