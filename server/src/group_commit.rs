//! Server side. Group commit: writes that arrive while the disk is busy share one transaction.

use std::future::Future;

use app::error::AppError;
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// Most writes in one transaction.
const MOST_AT_ONCE: usize = 256;
/// Most bytes in one transaction, unless a single write has more: other writers get through in between.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Most items in one transaction that yield to others: it stays short, and the others are in the next one.
const MOST_YIELDING: usize = 16;
/// How many may wait for the running transaction.
const MOST_WAITING: usize = 4_096;

/// Why a value was not written. The reason was logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    #[error("the store is unavailable")]
    Unavailable,
    /// The value itself cannot be written, or a row that it needs is damaged: a retry does not help.
    #[error("the store cannot take this value")]
    Rejected,
}

impl From<AppError> for Unwritten {
    fn from(error: AppError) -> Self {
        if error == AppError::Internal { Self::Rejected } else { Self::Unavailable }
    }
}

type Waiting<T, R> = (T, oneshot::Sender<Result<R, Unwritten>>);

/// Lets other tasks enqueue their writes: a commit costs the same for one write as for many. Returns at once when no
/// other task is ready to run.
async fn gather<T>(receiver: &mut mpsc::Receiver<T>, waiting: &mut Vec<T>) {
    let mut in_vain = 0;
    while in_vain < 2 && waiting.len() < MOST_AT_ONCE {
        tokio::task::yield_now().await;
        let before = waiting.len();
        waiting.extend(std::iter::from_fn(|| receiver.try_recv().ok()).take(MOST_AT_ONCE - before));
        in_vain = if waiting.len() == before { in_vain + 1 } else { 0 };
    }
}

/// How items share a transaction.
pub(crate) struct Sharing<T> {
    /// Of one item, in bytes.
    pub size: fn(&T) -> usize,
    /// Whether an item lets the others go first. A few of them are in every transaction, so that they are written too.
    pub yields: fn(&T) -> bool,
}

/// Writes of one kind.
pub(crate) struct GroupCommit<T, R>(mpsc::Sender<Waiting<T, R>>);

impl<T, R> Clone for GroupCommit<T, R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A value that is being written.
pub(crate) struct Pending<R>(oneshot::Receiver<Result<R, Unwritten>>);

impl<R> Pending<R> {
    pub(crate) async fn written(self) -> Result<R, Unwritten> {
        self.0.await.map_err(|_| Unwritten::Unavailable)?
    }
}

impl<T: Send + 'static, R: Send + 'static> GroupCommit<T, R> {
    /// `write` gets the queued items, and returns them with one result for each.
    pub(crate) fn start<F>(write: impl Fn(Vec<T>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = (Vec<T>, Result<Vec<R>, StoreError>)> + Send,
    {
        Self::sharing(Sharing { size: |_| 0, yields: |_| false }, write)
    }

    /// For items that are not alike.
    pub(crate) fn sharing<F>(sharing: Sharing<T>, write: impl Fn(Vec<T>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = (Vec<T>, Result<Vec<R>, StoreError>)> + Send,
    {
        let (sender, mut receiver) = mpsc::channel::<Waiting<T, R>>(MOST_WAITING);
        tokio::spawn(async move {
            let mut waiting = Vec::new();
            while !waiting.is_empty() || receiver.recv_many(&mut waiting, MOST_AT_ONCE).await > 0 {
                gather(&mut receiver, &mut waiting).await;
                waiting.sort_by_key(|(item, _)| (sharing.yields)(item));
                let (mut bytes, mut yielding) = (0, 0);
                let fits = |(item, _): &&Waiting<T, R>| {
                    let is_first = bytes == 0;
                    bytes += (sharing.size)(item);
                    yielding += usize::from((sharing.yields)(item));
                    yielding <= MOST_YIELDING && (is_first || bytes <= MOST_BYTES)
                };
                let count = waiting.iter().take_while(fits).count();
                let (items, senders): (Vec<T>, Vec<_>) = waiting.drain(..count).unzip();
                let (items, written) = write(items).await;
                match written {
                    Ok(results) => {
                        for (sender, result) in senders.into_iter().zip(results) {
                            let _ = sender.send(Ok(result));
                        }
                    }
                    // One of them cannot be written: write each on its own, so that the others succeed.
                    Err(error) if error.is_about_a_row() && items.len() > 1 => {
                        for (item, sender) in items.into_iter().zip(senders) {
                            let (_, written) = write(vec![item]).await;
                            let result = written.map_err(StoreError::log).map_err(Unwritten::from);
                            let _ = sender.send(result.and_then(|mut one| one.pop().ok_or(Unwritten::Unavailable)));
                        }
                    }
                    Err(error) => {
                        let is_about_a_row = error.is_about_a_row();
                        let unwritten = Unwritten::from(error.log());
                        for sender in senders {
                            let _ = sender.send(Err(unwritten));
                        }
                        if is_about_a_row {
                            continue;
                        }
                        // The store has failed for too long already: fail the items that came meanwhile too.
                        for (_, sender) in waiting.drain(..).chain(std::iter::from_fn(|| receiver.try_recv().ok())) {
                            let _ = sender.send(Err(Unwritten::Unavailable));
                        }
                    }
                }
            }
        });
        Self(sender)
    }

    /// Waits until it is written.
    pub(crate) async fn write(&self, item: T) -> Result<R, Unwritten> {
        self.begin(item).await?.written().await
    }

    /// Enqueues it without waiting. It is written together with earlier items, or after them.
    pub(crate) async fn begin(&self, item: T) -> Result<Pending<R>, Unwritten> {
        let (sender, result) = oneshot::channel();
        self.0.send((item, sender)).await.map_err(|_| Unwritten::Unavailable)?;
        Ok(Pending(result))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::Semaphore;

    use super::*;

    fn unavailable() -> StoreError {
        StoreError::Unavailable(sqlx::Error::PoolTimedOut)
    }

    /// A group whose every write waits for a permit, and fails for the first `failures` writes.
    fn collector(failures: usize) -> (Arc<GroupCommit<u32, u32>>, Arc<Semaphore>) {
        let gate = Arc::new(Semaphore::new(0));
        let (held, failures) = (gate.clone(), Arc::new(AtomicUsize::new(failures)));
        let collector =
            GroupCommit::sharing(Sharing { size: |item| *item as usize, yields: |_| false }, move |items: Vec<u32>| {
                let (held, failures) = (held.clone(), failures.clone());
                async move {
                    held.acquire().await.unwrap().forget();
                    let fails = failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                    let written = if fails.is_ok() {
                        Err(unavailable())
                    } else if items.contains(&13) {
                        Err(StoreError::Inconsistent { table: "message", column: "id", row: "13".to_owned() })
                    } else {
                        Ok(items.iter().map(|item| item * 2).collect())
                    };
                    (items, written)
                }
            });
        (Arc::new(collector), gate)
    }

    #[tokio::test]
    async fn those_that_came_during_a_failure_do_not_wait_for_another_one() {
        let (collector, gate) = collector(1);
        let all: Vec<_> = (0..10)
            .map(|item| {
                let collector = collector.clone();
                tokio::spawn(async move { collector.write(item).await })
            })
            .collect();
        // All items are queued before the first write ends, in one batch or in two.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(1);
        for write in all {
            assert_eq!(write.await.unwrap(), Err(Unwritten::Unavailable));
        }
        gate.add_permits(1);
        assert_eq!(collector.write(4).await, Ok(8), "later writes succeed");
    }

    #[tokio::test]
    async fn what_is_large_is_written_alone() {
        let (collector, gate) = collector(0);
        let large = u32::try_from(MOST_BYTES).unwrap();
        let all = [1, large, large + 1, 2].map(|item| {
            let collector = collector.clone();
            tokio::spawn(async move { collector.write(item).await })
        });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        // One permit each: 1, then the large ones alone, then 2.
        gate.add_permits(4);
        for (write, item) in all.into_iter().zip([1, large, large + 1, 2]) {
            assert_eq!(write.await.unwrap(), Ok(item * 2));
        }
        assert_eq!(gate.available_permits(), 0);
    }

    #[tokio::test]
    async fn what_yields_comes_after_the_others_and_a_few_at_a_time() {
        let (gate, batches) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (held, log) = (gate.clone(), batches.clone());
        let group =
            GroupCommit::sharing(Sharing { size: |_| 0, yields: |item| *item >= 100 }, move |items: Vec<u32>| {
                let (held, log) = (held.clone(), log.clone());
                async move {
                    held.acquire().await.unwrap().forget();
                    log.lock().unwrap().push(items.clone());
                    let results = items.clone();
                    (items, Ok(results))
                }
            });
        let group = Arc::new(group);
        let enqueue = |item: u32| {
            let group = group.clone();
            tokio::spawn(async move { group.write(item).await })
        };
        // While the first one is written, twenty that yield come, and then two that do not.
        let first = enqueue(1);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let all: Vec<_> = (100..120).chain(2..4).map(enqueue).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(3);
        for write in all.into_iter().chain([first]) {
            write.await.unwrap().unwrap();
        }
        let few: Vec<u32> = [2, 3].into_iter().chain(100..116).collect();
        assert_eq!(*batches.lock().unwrap(), [vec![1], few, (116..120).collect()]);
    }

    #[tokio::test]
    async fn one_that_cannot_be_written_takes_no_other_with_it() {
        let (collector, gate) = collector(0);
        gate.add_permits(100);
        let writes = [11, 12, 13, 14].map(|item| collector.write(item));
        let results = futures::future::join_all(writes).await;
        assert_eq!(results, [Ok(22), Ok(24), Err(Unwritten::Rejected), Ok(28)]);
    }
}
