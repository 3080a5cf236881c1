//! What every store does with drafts.

use super::*;

pub(super) async fn drafts_belong_to_a_person(store: &impl Store) {
    let draft = |form: &str, host: &str| KeptDraft {
        form: form.to_owned(),
        profile: None,
        revision: Some(3),
        draft: Draft { host: host.to_owned(), ..Draft::default() },
        errors: vec![FieldError::new(Field::Host, Fault::HostInvalid)],
        ..KeptDraft::default()
    };
    let who = |account: AccountId, id: &str| Person { account, id: id.to_owned() };
    let claire = who(account("martin"), "claire");
    store.keep_draft(&claire, &draft("form-0001", "a"), at(1)).await.unwrap();
    store.keep_draft(&claire, &draft("form-0002", "b"), at(2)).await.unwrap();
    store.keep_draft(&claire, &draft("form-0001", "c"), at(3)).await.unwrap();
    let (first, second) = (draft("form-0001", "c"), draft("form-0002", "b"));
    assert_eq!(
        store.drafts(&claire, at(0)).await.unwrap(),
        [first.clone(), second],
        "the newest first, one for each form"
    );
    assert_eq!(store.drafts(&claire, at(3)).await.unwrap(), std::slice::from_ref(&first), "not the expired ones");
    for stranger in [who(account("martin"), "karim"), who(account("dubois"), "claire")] {
        assert!(store.drafts(&stranger, at(0)).await.unwrap().is_empty());
        store.forget_draft(&stranger, "form-0001").await.unwrap();
    }
    store.forget_draft(&claire, "form-0002").await.unwrap();
    assert_eq!(store.drafts(&claire, at(0)).await.unwrap(), [first]);
    for number in 10..40 {
        store.keep_draft(&claire, &draft(&format!("form-{number}"), "x"), at(number)).await.unwrap();
    }
    let kept = store.drafts(&claire, at(0)).await.unwrap();
    assert_eq!(kept.len(), usize::try_from(MOST_DRAFTS).unwrap(), "the oldest is dropped");
    assert_eq!(kept[0].form, "form-39");
    store.sweep(at(39) + DRAFTS_LAST, at(0)).await.unwrap();
    assert_eq!(store.drafts(&claire, at(0)).await.unwrap().len(), 1);
}
