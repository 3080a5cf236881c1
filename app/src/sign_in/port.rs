//! Server side. What the pages need for signing in.

use async_trait::async_trait;

use super::model::{SignIn, SignInId, SignInWay};
use crate::{
    error::AppError,
    journal::model::Author,
    profile::{
        draft::Draft,
        model::ProfileId,
        port::{SaveError, Target},
    },
    session::Session,
};

/// Signing in at providers.
#[async_trait]
pub trait SignIns: Send + Sync {
    /// The providers at which owners of this portal can sign in.
    fn ways(&self, portal: &str) -> Vec<SignInWay>;
    /// Begins a sign-in for a form. `form`: its name. Fields that the sign-in fills in need not be valid.
    async fn begin(
        &self,
        session: &Session,
        client: &str,
        form: String,
        target: Target,
        draft: Draft,
    ) -> Result<SignInId, SaveError>;
    /// A sign-in of this session.
    async fn get(&self, session: &Session, id: SignInId) -> Result<Option<SignIn>, AppError>;
    /// Ends the use of a profile's grant. The provider revokes it.
    async fn sign_out(&self, by: Author<'_>, id: ProfileId, revision: Option<u32>) -> Result<(), AppError>;
    /// Sends as the shared mailbox with this address, with the permission of the person who signed in.
    async fn use_mailbox(&self, by: Author<'_>, id: ProfileId, mailbox: &str) -> Result<(), SaveError>;
}
