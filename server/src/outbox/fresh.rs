//! Server side. A cache of the newest sealed contents: a message that is sent at once is not read back from the store.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use uuid::Uuid;

/// Larger contents, in bytes, are read from the store.
const LARGEST: usize = 16 * 1024;
/// Capacity: beyond it the oldest is dropped.
const MOST: usize = 128;

/// At most [`MOST`] contents of at most [`LARGEST`] bytes.
#[derive(Default)]
pub struct FreshContents(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sealed: HashMap<Uuid, Vec<u8>>,
    /// By age. Ids that were taken may still be in it.
    order: VecDeque<Uuid>,
}

impl FreshContents {
    pub fn put(&self, id: Uuid, sealed: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.order.len() == MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.sealed.remove(&oldest);
        }
        kept.order.push_back(id);
        kept.sealed.insert(id, sealed);
    }

    /// A copy, if the content is small enough to keep.
    pub fn copy(sealed: &[u8]) -> Option<Vec<u8>> {
        (sealed.len() <= LARGEST).then(|| sealed.to_vec())
    }

    /// Removes it: only the first attempt reads it here, later ones read the store.
    pub fn take(&self, id: Uuid) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sealed.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_taken_once_and_the_oldest_go_first() {
        let fresh = FreshContents::default();
        let id = |number: usize| Uuid::from_u128(number as u128);
        for number in 0..3 * MOST {
            fresh.put(id(number), vec![1; 3]);
            // Every second message is sent at once.
            if number % 2 == 0 {
                assert!(fresh.take(id(number)).is_some());
            }
        }
        assert!(fresh.take(id(0)).is_none() && fresh.take(id(1)).is_none());
        assert_eq!(fresh.take(id(3 * MOST - 1)), Some(vec![1; 3]));
        assert_eq!(fresh.take(id(3 * MOST - 1)), None);
        let kept = fresh.0.lock().unwrap();
        assert!(kept.order.len() <= MOST && kept.sealed.len() < MOST);
    }

    #[test]
    fn what_is_large_is_not_kept() {
        assert_eq!(FreshContents::copy(&vec![7; LARGEST]), Some(vec![7; LARGEST]));
        assert_eq!(FreshContents::copy(&vec![7; LARGEST + 1]), None);
    }
}
