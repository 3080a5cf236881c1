//! Server side. A bounded map: the oldest entry is dropped. Its keys are hashes of secrets, so a lookup reveals nothing
//! about them by its time.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

/// The hash of a secret.
pub(super) type Key = [u8; 32];

/// The key of a secret.
pub(super) fn key(secret: &str) -> Key {
    Sha256::digest(secret.as_bytes()).into()
}

/// Most entries of a shelf.
const MOST: usize = 2_000;

pub(super) struct Shelf<T> {
    entries: HashMap<Key, T>,
    /// The oldest first. It may name entries that were taken.
    order: VecDeque<Key>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { entries: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> Shelf<T> {
    pub(super) fn put(&mut self, key: Key, entry: T) {
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
        self.order.push_back(key);
        self.entries.insert(key, entry);
    }

    pub(super) fn get(&self, key: &Key) -> Option<&T> {
        self.entries.get(key)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut T> {
        self.entries.get_mut(key)
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<T> {
        self.entries.remove(key)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.values_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_is_dropped() {
        let mut shelf = Shelf::default();
        for number in 0..=MOST {
            shelf.put(key(&number.to_string()), number);
        }
        assert_eq!(shelf.get(&key("0")), None);
        assert_eq!(shelf.get(&key("1")), Some(&1));
        assert_eq!(shelf.take(&key("2")), Some(2));
        assert_eq!((shelf.entries.len(), shelf.order.len()), (MOST - 1, MOST));
    }
}
