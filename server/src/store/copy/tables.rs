//! Server side. What is copied: every table of the schema, parents before their children. A test compares this list
//! with both schemas; the columns are read from the databases themselves.

/// A table, in the order of the copy.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Its primary key: rows are read in this order, and a copy continues after the last one.
    pub key: &'static [&'static str],
    pub rows: Rows,
}

/// Which rows may exist before the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// None: they would be accounts, messages or other data.
    Entrusted,
    /// Rows of a database that was only opened and checked. The copy replaces them.
    Housekeeping,
    /// Sums, one row for each kind or many, kept by the triggers of other tables. The copy replaces them.
    Sums,
    /// Rows that the triggers of earlier tables may have written. The copy replaces them.
    Triggered,
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key, rows: Rows::Entrusted }
}

pub const TABLES: &[Table] = &[
    Table { rows: Rows::Housekeeping, ..table("canary", &["id"]) },
    Table { rows: Rows::Housekeeping, ..table("clock", &["id"]) },
    Table { rows: Rows::Housekeeping, ..table("heartbeat", &["id"]) },
    table("account", &["portal", "account"]),
    table("session", &["key"]),
    table("used_token", &["portal", "jti"]),
    table("sign_in", &["id"]),
    table("profile", &["id"]),
    table("oauth_grant", &["id"]),
    table("test_run", &["profile", "at"]),
    table("receipt", &["profile"]),
    table("last_failure", &["profile"]),
    table("login", &["id"]),
    table("draft", &["portal", "account", "person", "form"]),
    table("journal", &["id"]),
    table("message", &["id"]),
    table("content", &["message"]),
    table("attempt", &["message", "number"]),
    table("event", &["id"]),
    table("quarantine", &["kind", "row"]),
    Table { rows: Rows::Triggered, ..table("lane", &["lane", "fallback"]) },
    Table { rows: Rows::Triggered, ..table("destination", &["destination"]) },
    Table { rows: Rows::Sums, ..table("tally", &["kind"]) },
];

/// A column of SQLite that is no longer read, and that PostgreSQL never had.
pub const ABANDONED: &[(&str, &str)] = &[("session", "refused_draft")];

impl Table {
    /// The query it is read from: sums are compared as sums, however many rows they have.
    pub fn source(&self) -> String {
        match self.rows {
            Rows::Sums => format!(
                "(SELECT kind, CAST(sum(amount) AS BIGINT) AS amount FROM {0} GROUP BY kind HAVING sum(amount) <> 0) AS {0}",
                self.name
            ),
            _ => format!("\"{}\"", self.name),
        }
    }
}
