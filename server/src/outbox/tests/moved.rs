//! A database that was copied into another one continues there: its secrets open, and waiting messages are sent.

use super::*;
use crate::store::{
    copy::{Compared, CopyOptions, Location, Route, copy},
    postgres::{PostgresStore, cluster},
};

async fn copied(from: &Location, to: &Location) {
    let route = Route { from: from.clone(), from_name: "from".to_owned(), to: to.clone(), to_name: "to".to_owned() };
    let compared = copy(&route, CopyOptions::default(), &mut |_| {}).await.unwrap();
    assert!(compared.iter().all(Compared::is_same), "{compared:#?}");
}

#[tokio::test]
async fn what_waits_in_a_file_is_sent_from_postgresql_and_back() {
    let Some(options) = cluster::database("template0").await else { return };
    let server = Location::Server(Box::new(options.clone()));
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = (folder.path().join("first.db"), folder.path().join("last.db"));
    let store = Arc::new(SqliteStore::open(&first).await.unwrap());
    let post = Post::of(store.clone()).await;
    let profile = post.profile("martin", "boutique").await;
    let ids = [post.give(&message("martin", "Un")).await, post.give(&message("martin", "Deux")).await];
    let Post { application, sandbox, .. } = post;
    drop(application);
    store.close().await;

    copied(&Location::File(first), &server).await;
    let store = Arc::new(PostgresStore::open(options, 4).await.unwrap());
    let post = Post::moved(store.clone(), sandbox);
    let kept = Profiles::get(&post.profiles, &account("martin"), profile).await.unwrap().unwrap();
    assert!(kept.is_ready(), "its password opens");
    post.application.outbox.start();
    post.until(&ids[0], "accepted").await;
    post.until(&ids[1], "accepted").await;
    assert_eq!((post.arrived("Un").len(), post.arrived("Deux").len()), (1, 1), "the password opens");
    post.application.outbox.stop(Duration::from_secs(9)).await;
    let third = post.give(&message("martin", "Trois")).await;
    let Post { application, sandbox, .. } = post;
    drop(application);
    store.close().await;

    copied(&server, &Location::File(last.clone())).await;
    let store = Arc::new(SqliteStore::open(&last).await.unwrap());
    let post = Post::moved(store, sandbox);
    post.application.outbox.start();
    post.until(&third, "accepted").await;
    assert_eq!(post.get(&format!("/api/v1/messages/{}", ids[0])).await.1["state"], "accepted");
    assert_eq!((post.arrived("Un").len(), post.arrived("Trois").len()), (1, 1), "nothing is sent twice");
}
