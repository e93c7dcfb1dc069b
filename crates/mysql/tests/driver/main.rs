//! The driver on real servers, in one program: each test on every server that is configured.

mod borrowing;
mod connecting;
mod deploy;
mod examples;
mod functions;
mod settling;
mod steps;
mod support;
