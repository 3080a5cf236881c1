//! What every store does with accounts' settings.

use super::*;

pub(super) async fn a_sending_mode_is_kept(store: &impl Store) {
    let martin = account("martin");
    assert_eq!(store.sending_mode(&martin).await.unwrap(), None);
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    store.set_sending_mode(&martin, SendingMode::OwnSmtp, None, &some_entry()).await.unwrap();
    assert_eq!(store.sending_mode(&martin).await.unwrap(), Some(SendingMode::OwnSmtp));
    assert_eq!(store.sending_mode(&account("dubois")).await.unwrap(), None);
}
