//! Server side. A row in a form that is the same in every database, and a hash over all rows of a table in that form.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The value in a column. A flag is 0 or 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
    Bytes,
    Flag,
}

/// The columns of a table in one database, by name, without generated ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(pub Vec<(String, Kind)>);

pub type Row = Vec<Cell>;

impl Cell {
    /// A text that every database can store: PostgreSQL takes neither NUL nor invalid UTF-8 (from a damaged row of
    /// SQLite).
    pub fn text(bytes: &[u8]) -> Self {
        Self::Text(super::super::codec::without_nul(&String::from_utf8_lossy(bytes)))
    }

    /// About how many bytes of memory it takes.
    pub fn size(&self) -> usize {
        16 + match self {
            Self::Null | Self::Number(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    fn hash(&self, into: &mut Sha256) {
        let mut with_length = |tag: u8, bytes: &[u8]| {
            into.update([tag]);
            into.update((bytes.len() as u64).to_be_bytes());
            into.update(bytes);
        };
        match self {
            Self::Null => into.update([0]),
            Self::Number(number) => with_length(1, &number.to_be_bytes()),
            Self::Text(text) => with_length(2, text.as_bytes()),
            Self::Bytes(bytes) => with_length(3, bytes),
        }
    }
}

impl Columns {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// As a list for a statement.
    pub fn list(&self) -> String {
        let quoted: Vec<_> = self.names().map(|name| format!("\"{name}\"")).collect();
        quoted.join(", ")
    }

    /// The index of a column.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(column, _)| column == name)
    }
}

/// The rows of a table, counted and hashed in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digested {
    pub rows: u64,
    pub hash: String,
}

pub struct Hasher {
    rows: u64,
    state: Sha256,
}

impl Hasher {
    /// The names of table and columns are hashed too.
    pub fn new(table: &str, columns: &Columns) -> Self {
        let mut state = Sha256::new();
        Cell::Text(table.to_owned()).hash(&mut state);
        columns.names().for_each(|name| Cell::Text(name.to_owned()).hash(&mut state));
        Self { rows: 0, state }
    }

    pub fn add(&mut self, row: &[Cell]) {
        self.rows += 1;
        for cell in row {
            cell.hash(&mut self.state);
        }
    }

    pub fn finish(self) -> Digested {
        let hash = self.state.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digested { rows: self.rows, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(rows: &[&[Cell]]) -> String {
        let columns = Columns(vec![("a".to_owned(), Kind::Text), ("b".to_owned(), Kind::Text)]);
        let mut hasher = Hasher::new("t", &columns);
        for row in rows {
            hasher.add(row);
        }
        hasher.finish().hash
    }

    #[test]
    fn what_differs_has_another_hash() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let rows: [[Cell; 2]; 7] = [
            [text("ab"), text("c")],
            [text("a"), text("bc")],
            [text(""), Cell::Null],
            [Cell::Null, text("")],
            [Cell::Bytes(b"ab".to_vec()), text("c")],
            [Cell::Number(0), Cell::Null],
            [Cell::Null, Cell::Number(0)],
        ];
        let mut hashes: Vec<_> = rows.iter().map(|row| hash(&[row])).collect();
        hashes.push(hash(&[&rows[0], &rows[1]]));
        hashes.push(hash(&[&rows[1], &rows[0]]));
        let before = hashes.len();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), before);
        assert_eq!(hash(&[&rows[0]]), hash(&[&rows[0]]));
    }

    #[test]
    fn what_postgresql_does_not_take_has_one_form() {
        assert_eq!(Cell::text(b"a\0\xff"), Cell::Text("a\u{fffd}\u{fffd}".to_owned()));
    }
}
