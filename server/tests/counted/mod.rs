//! Counts the statements that a database is asked. Of the whole process: each program that uses it has one test.

use std::{
    fmt::Write,
    sync::{Arc, Mutex},
};

use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Notes what is asked of the database.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut text = String::new();
            event.record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                let _ = write!(text, "{value:?} ");
            });
            // A reader that is opened sets itself up.
            if !text.contains("PRAGMA") {
                self.0.lock().unwrap().push(text);
            }
        }
    }
}

impl Statements {
    /// From now on every statement of this process is noted.
    pub fn of_this_process() -> Self {
        let statements = Self::default();
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(statements.clone())).unwrap();
        statements
    }

    /// Those since the last look.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
