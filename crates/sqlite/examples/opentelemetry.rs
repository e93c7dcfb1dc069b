//! Spans of a deploy, its migrations and their statements for OpenTelemetry.
//!
//! `cargo run --package windlass-sqlite --example opentelemetry`
//!
//! It prints them. A program of yours has the exporter of the crate `opentelemetry-otlp` in the place of `Printer`; the rest
//! is the same, on every database.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing_subscriber::prelude::*;
use windlass_sqlite::{Migrations, deploy, rusqlite::Connection};

static MIGRATIONS: Migrations = windlass_sqlite::migrations!("examples/migrations");

/// Prints each span when it ends: what is inside of another before that.
#[derive(Debug)]
struct Printer;

impl SpanExporter for Printer {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in batch {
            let (id, parent) = (span.span_context.span_id(), span.parent_span_id);
            print!("{id} in {parent}: {}", span.name);
            // Beside windlass's own fields there are where in its source and on what thread.
            let own = |key: &str| {
                !["code.", "thread.", "busy_", "idle_", "target", "level"]
                    .iter()
                    .any(|begin| key.starts_with(begin))
            };
            for field in span.attributes.iter().filter(|field| own(field.key.as_str())) {
                print!(" {}={:?}", field.key, field.value.as_str());
            }
            println!();
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = SdkTracerProvider::builder().with_simple_exporter(Printer).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    tracing_subscriber::registry().with(layer).init();

    let mut connection = Connection::open("app.db")?;
    let deployed = deploy(&mut connection, &MIGRATIONS);
    // What was traced of a deploy that failed is wanted most.
    provider.shutdown()?;
    deployed.unwrap_or_else(|error| {
        eprintln!("{}", error.story());
        std::process::exit(1)
    });
    Ok(())
}
