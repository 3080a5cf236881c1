//! Server side. Creating, changing, using and deleting a profile. The account is locked: how many profiles it has, and which
//! are in use, changes in one transaction at a time.

use app::{
    journal::model::Entry,
    profile::{
        model::ProfileId,
        port::{Successor, Written},
        sending::Health,
    },
    session::AccountId,
};
use async_trait::async_trait;

use super::{AccountStatements, Ended};
use crate::store::{
    Aside, Change, Decide, Deletion, EntryFor, Grant, GrantTokens, ProfileRow, StoreError, change::Edit,
    succession::successor,
};

/// The statements. `user`: whose profiles; `None` is the whole shop.
#[async_trait]
pub trait ProfileStatements: AccountStatements {
    /// Whether the account has fewer profiles than `most`. No more are counted than may be there.
    async fn has_room(&mut self, account: &AccountId, most: u32) -> Result<bool, StoreError>;
    /// Whether a form has created a profile already.
    async fn is_created(&mut self, account: &AccountId, creation: &str) -> Result<bool, StoreError>;
    /// Inserts a profile that is not in use.
    async fn insert(&mut self, account: &AccountId, row: &ProfileRow) -> Result<(), StoreError>;
    /// Writes what the owner sets, whether it is in use, and its revision.
    async fn update(&mut self, row: &ProfileRow) -> Result<(), StoreError>;
    async fn write_health(&mut self, id: ProfileId, health: &Health) -> Result<(), StoreError>;
    /// The readable profiles of an owner, the oldest first.
    async fn of_owner(&mut self, account: &AccountId, user: Option<&str>) -> Result<Vec<ProfileRow>, StoreError>;
    /// Puts this profile of the owner in use unless another one is; whether it did.
    async fn use_if_free(&mut self, account: &AccountId, user: Option<&str>, id: ProfileId)
    -> Result<bool, StoreError>;
    /// Ends the use of the owner's profile in use.
    async fn end_use(&mut self, account: &AccountId, user: Option<&str>) -> Result<(), StoreError>;
    /// Whether a profile of the account is in use.
    async fn set_in_use(&mut self, account: &AccountId, id: ProfileId, in_use: bool) -> Result<(), StoreError>;
    /// Deletes the refusals counted under a key.
    async fn forgive(&mut self, key: &[u8; 32]) -> Result<(), StoreError>;
    /// Stores a new grant that the profile uses.
    async fn attach_grant(
        &mut self,
        account: &AccountId,
        id: ProfileId,
        grant: &Grant,
        tokens: &GrantTokens,
    ) -> Result<(), StoreError>;
    /// Takes the profile's grant away from it, and ends its lease.
    async fn detach_grant(&mut self, id: ProfileId) -> Result<(), StoreError>;
    /// Sets a profile aside: only the session that deleted it finds it.
    async fn put_aside(&mut self, id: ProfileId, aside: Aside) -> Result<(), StoreError>;
    /// Notes which profile replaced one that was set aside.
    async fn note_successor(&mut self, id: ProfileId, successor: Option<ProfileId>) -> Result<(), StoreError>;
}

/// Creates a profile. Whether it is in use; `None`: the account has `most` already, or the same form has created one.
pub async fn insert(
    database: &mut impl ProfileStatements,
    account: &AccountId,
    row: &ProfileRow,
    most: u32,
    entry: &Entry,
) -> Result<Ended<Option<bool>>, StoreError> {
    if !database.has_room(account, most).await? {
        return Ok(Ended::RollBack(None));
    }
    if let Some(creation) = &row.creation
        && database.is_created(account, creation).await?
    {
        return Ok(Ended::RollBack(None));
    }
    database.insert(account, row).await?;
    if let Some(grant) = &row.grant
        && let Some(tokens) = &grant.tokens
    {
        database.attach_grant(account, row.id, grant, tokens).await?;
    }
    let in_use = database.use_if_free(account, row.settings.user.as_deref(), row.id).await?;
    database.note(account, entry).await?;
    Ok(Ended::Commit(Some(in_use)))
}

/// Writes what `decide` makes of the locked row; `false`: there is no such profile.
pub async fn change(
    database: &mut impl ProfileStatements,
    account: &AccountId,
    id: ProfileId,
    decide: &mut Decide<'_>,
) -> Result<Ended<bool>, StoreError> {
    let Some(before) = database.locked_profile(account, id).await? else { return Ok(Ended::RollBack(false)) };
    match decide(&before) {
        Change::None => return Ok(Ended::RollBack(true)),
        Change::StartOver => database.write_health(id, &before.started_over()).await?,
        Change::Edit(after, entry) => {
            edit(database, account, &before, *after).await?;
            database.note(account, &entry).await?;
        }
    }
    Ok(Ended::Commit(true))
}

async fn edit(
    database: &mut impl ProfileStatements,
    account: &AccountId,
    before: &ProfileRow,
    after: ProfileRow,
) -> Result<(), StoreError> {
    let Edit { row, forgiven, leaves_owner, detaches, attaches } = Edit::of(before, after);
    database.update(&row).await?;
    database.write_health(row.id, &row.health).await?;
    if detaches {
        database.detach_grant(row.id).await?;
    }
    if let Some((grant, tokens)) = row.grant.as_ref().zip(attaches) {
        database.attach_grant(account, row.id, grant, &tokens).await?;
    }
    if let Some(key) = forgiven {
        database.forgive(&key).await?;
    }
    if leaves_owner && let Some(Some(id)) = replacement(database, account, before, Successor::Best).await? {
        database.use_if_free(account, before.settings.user.as_deref(), id).await?;
    }
    database.use_if_free(account, row.settings.user.as_deref(), row.id).await?;
    Ok(())
}

/// Puts a profile in use, and its owner's other ones out of use.
pub async fn put_in_use(
    database: &mut impl ProfileStatements,
    account: &AccountId,
    id: ProfileId,
    expected: Option<u32>,
    entry_for: &EntryFor<'_>,
) -> Result<Ended<Written>, StoreError> {
    let Some(row) = database.locked_profile(account, id).await? else { return Ok(Ended::RollBack(Written::Gone)) };
    if !row.is_of_revision(expected) {
        return Ok(Ended::RollBack(Written::Stale));
    }
    database.end_use(account, row.settings.user.as_deref()).await?;
    database.set_in_use(account, id, true).await?;
    database.note(account, &entry_for(&row)).await?;
    Ok(Ended::Commit(Written::Done))
}

/// Sets a profile aside. When it was in use, its successor takes over.
pub async fn delete(
    database: &mut impl ProfileStatements,
    account: &AccountId,
    id: ProfileId,
    deletion: Deletion,
    entry_for: &EntryFor<'_>,
) -> Result<Ended<Written>, StoreError> {
    let Some(row) = database.locked_profile(account, id).await? else { return Ok(Ended::RollBack(Written::Gone)) };
    if !row.is_of_revision(deletion.revision) {
        return Ok(Ended::RollBack(Written::Stale));
    }
    database.put_aside(id, deletion.aside).await?;
    database.note(account, &entry_for(&row)).await?;
    if row.in_use {
        let Some(successor) = replacement(database, account, &row, deletion.successor).await? else {
            return Ok(Ended::RollBack(Written::Stale));
        };
        if let Some(next) = successor {
            database.use_if_free(account, row.settings.user.as_deref(), next).await?;
        }
        database.note_successor(id, successor).await?;
    }
    Ok(Ended::Commit(Written::Done))
}

/// Which profile replaces one that its owner no longer has. `None`: the chosen one does not exist.
async fn replacement(
    database: &mut impl ProfileStatements,
    account: &AccountId,
    gone: &ProfileRow,
    wish: Successor,
) -> Result<Option<Option<ProfileId>>, StoreError> {
    let others = database.of_owner(account, gone.settings.user.as_deref()).await?;
    Ok(successor(wish, &others).ok())
}
