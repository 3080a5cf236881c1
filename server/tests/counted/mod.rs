//! Counts the statements sent to a database by the whole process: each program that uses it has one test.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Records the statements.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut text = String::new();
            event.record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                let _ = write!(text, "{value:?} ");
            });
            // A new reader connection sets itself up.
            if !text.contains("PRAGMA") {
                self.0.lock().unwrap().push(text);
            }
        }
    }
}

impl Statements {
    /// Records every statement of this process from now on.
    pub fn of_this_process() -> Self {
        let statements = Self::default();
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(statements.clone())).unwrap();
        statements
    }

    /// The statements since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
