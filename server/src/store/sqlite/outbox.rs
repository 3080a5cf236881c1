//! Server side. The outbox' half of the store, in SQLite.

use app::{
    diagnosis::cause::Cause,
    profile::{model::ProfileId, sending::Turn},
    session::AccountId,
    test_run::port::TestRun,
};
use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use super::{SqliteStore, clock, events, lanes, messages, profiles, quarantine, sealed, settle, upkeep};
use crate::{
    store::{
        ProfileRow, SealedSecret, StoreError,
        outbox::{
            Attempt, Claim, Claimed, DueDestination, Ending, EventRow, HealthReport, Inserted, MessageRow,
            MessageState, NewEvent, NewMessage, OutboxStore, Quarantined, Queue, QueueFigures, ResendRule, Resent,
            Rest, SealedContent, Settled, Settlement,
        },
    },
    time::{Elapsed, ElapsedRule, Mark},
};

type Stored<T> = Result<T, StoreError>;

#[async_trait]
impl OutboxStore for SqliteStore {
    async fn insert_messages(&self, messages: &[NewMessage]) -> Stored<Vec<Inserted>> {
        messages::insert(&self.writer, messages).await
    }

    async fn message_by_key(&self, portal: &str, key: &str, request_hash: &[u8; 32]) -> Stored<Option<Inserted>> {
        let mut connection = self.pool.acquire().await?;
        messages::by_key(&mut connection, portal, key, request_hash).await
    }

    async fn message(&self, portal: &str, id: Uuid) -> Stored<Option<MessageRow>> {
        messages::find((&self.pool, &self.writer), portal, id).await
    }

    async fn attempts(&self, id: Uuid) -> Stored<Vec<Attempt>> {
        messages::attempts(&self.pool, id).await
    }

    async fn messages(
        &self,
        account: &AccountId,
        state: Option<MessageState>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Stored<Vec<(MessageRow, Vec<Attempt>)>> {
        messages::page((&self.pool, &self.writer), account, state, before, limit).await
    }

    async fn content(&self, id: Uuid) -> Stored<Option<Vec<u8>>> {
        messages::content(&self.pool, id).await
    }

    async fn due_destinations(
        &self,
        now: Timestamp,
        after: Option<&DueDestination>,
        limit: u32,
    ) -> Stored<Vec<DueDestination>> {
        lanes::due_destinations(&self.pool, now, after, limit).await
    }

    async fn due_lanes(&self, destination: &str, now: Timestamp, limit: u32) -> Stored<Vec<Queue>> {
        lanes::due((&self.pool, &self.writer), destination, now, limit).await
    }

    async fn assign(&self, lanes: &[(Queue, String)]) -> Stored<()> {
        lanes::assign(&self.writer, lanes).await
    }

    async fn claim_through(&self, claims: &[Claim]) -> Stored<Vec<Claimed>> {
        lanes::claim(&self.writer, claims).await
    }

    async fn mark_ending(&self, endings: &[Ending], now: Timestamp) -> Stored<Vec<bool>> {
        messages::mark_ending(&self.writer, endings, now).await
    }

    async fn settle(&self, settlements: &[Settlement]) -> Stored<Vec<Settled>> {
        settle::settle(&self.writer, settlements).await
    }

    async fn release(&self, owner: &str, ids: &[Uuid], next_at: Timestamp) -> Stored<()> {
        messages::release(&self.writer, owner, ids, next_at).await
    }

    async fn rest_lane(&self, queue: &Queue, until: Timestamp, cause: Option<Cause>) -> Stored<()> {
        lanes::rest_lane(&self.writer, queue, until, cause).await
    }

    async fn rest_destination(&self, destination: &str, rule: &(dyn Fn(Rest) -> Rest + Send + Sync)) -> Stored<Rest> {
        lanes::rest(&self.writer, destination, rule).await
    }

    async fn ease(&self, destinations: &[String]) -> Stored<()> {
        lanes::ease(&self.writer, destinations).await
    }

    async fn realign(&self, now: Timestamp, latest: Timestamp) -> Stored<()> {
        lanes::realign(&self.writer, now, latest).await
    }

    async fn wake(&self, account: &AccountId, now: Timestamp) -> Stored<u64> {
        lanes::wake(&self.writer, account, now).await
    }

    async fn prolong(&self, owners: &[String], until: Timestamp) -> Stored<u64> {
        messages::prolong(&self.writer, owners, until).await
    }

    async fn abandoned(&self, now: Timestamp, limit: u32) -> Stored<Vec<MessageRow>> {
        messages::abandoned((&self.pool, &self.writer), now, limit).await
    }

    async fn overdue(&self, now: Timestamp, limit: u32) -> Stored<Vec<MessageRow>> {
        messages::overdue((&self.pool, &self.writer), now, limit).await
    }

    async fn resend(&self, portal: &str, id: Uuid, times: (Timestamp, Timestamp), rule: ResendRule) -> Stored<Resent> {
        messages::resend(&self.writer, portal, id, times, rule).await
    }

    async fn purge(&self, finished_before: Timestamp, content_before: Timestamp, limit: u32) -> Stored<u64> {
        upkeep::purge((&self.pool, &self.writer), finished_before, content_before, limit).await
    }

    async fn pass_time(&self, now: &Mark, rule: ElapsedRule) -> Stored<Option<Elapsed>> {
        clock::pass_time(&self.writer, now, rule).await
    }

    async fn queue_figures(&self, now: Timestamp) -> Stored<QueueFigures> {
        upkeep::figures(&self.pool, now).await
    }

    async fn profile_in_use(&self, account: &AccountId, user: Option<&str>) -> Stored<Option<ProfileRow>> {
        profiles::in_use((&self.pool, &self.writer), account, user).await
    }

    async fn last_failure(&self, account: &AccountId, id: ProfileId) -> Stored<Option<TestRun>> {
        profiles::last_failure(&self.pool, account, id).await
    }

    async fn sent_since(&self, profile: ProfileId, since: Timestamp) -> Stored<u64> {
        profiles::sent_since(&self.pool, profile, since).await
    }

    async fn profiles_to_check(&self, before: Timestamp, limit: u32) -> Stored<Vec<(AccountId, ProfileRow)>> {
        profiles::to_check((&self.pool, &self.writer), before, limit).await
    }

    async fn record_health(
        &self,
        account: &AccountId,
        report: &HealthReport,
        at: Timestamp,
        tell: bool,
    ) -> Stored<Option<Turn>> {
        settle::record_health(&self.writer, account, report, at, tell).await
    }

    async fn due_events(&self, portal: &str, now: Timestamp, limit: u32) -> Stored<Vec<EventRow>> {
        events::due((&self.pool, &self.writer), portal, now, limit).await
    }

    async fn event_done(&self, id: Uuid) -> Stored<()> {
        events::done(&self.writer, id).await
    }

    async fn event_failed(&self, id: Uuid, next_at: Timestamp) -> Stored<()> {
        events::failed(&self.writer, id, next_at).await
    }

    async fn newly_quarantined(&self, limit: u32) -> Stored<Vec<Quarantined>> {
        quarantine::untold(&self.pool, limit).await
    }

    async fn quarantine_told(&self, rows: &[Quarantined], events: &[NewEvent]) -> Stored<()> {
        quarantine::told(&self.writer, rows, events).await
    }

    async fn secrets(&self, after: Option<ProfileId>, limit: u32) -> Stored<Vec<(AccountId, ProfileRow)>> {
        sealed::secrets(&self.pool, after, limit).await
    }

    async fn replace_secret(&self, id: ProfileId, old: &[u8], new: &SealedSecret) -> Stored<bool> {
        sealed::replace_secret(&self.writer, id, old, new).await
    }

    async fn contents(&self, after: Option<Uuid>, limit: u32) -> Stored<Vec<SealedContent>> {
        sealed::contents(&self.pool, after, limit).await
    }

    async fn replace_content(&self, id: Uuid, old: &[u8], new: &[u8]) -> Stored<bool> {
        sealed::replace_content(&self.writer, id, old, new).await
    }
}
