use super::*;

fn account(name: &str) -> Claimant {
    at(name, &format!("smtp.{name}.example"))
}

fn at(name: &str, host: &str) -> Claimant {
    Claimant::new(Party::Account(AccountId { portal: "demo".to_owned(), account: name.to_owned() }), host)
}

fn caps() -> Caps {
    Caps::new(64, 512, 16)
}

async fn quick(admission: &Admission, claimant: &Claimant) {
    admission.enter(claimant).unwrap().watch(async {}).await;
}

/// Acquires permits and never releases them.
fn greedy(admission: &Admission, claimant: &Claimant, slots: &mut Vec<Slot>) {
    while let Ok(slot) = admission.enter(claimant) {
        slots.push(slot);
    }
}

#[tokio::test(start_paused = true)]
async fn one_account_has_an_eighth_of_the_workers_whatever_it_owns() {
    let admission = Admission::new(caps());
    let mut slots = Vec::new();
    for profile in 0..8 {
        greedy(&admission, &at("evil", &format!("h{profile}.example")), &mut slots);
    }
    assert_eq!((slots.len(), admission.counts()), (8, (8, 0)));
    assert!(slots.iter().all(Slot::step_aside));
    greedy(&admission, &account("evil"), &mut slots);
    assert_eq!((slots.len(), admission.counts()), (16, (8, 8)), "waiting conversations count for the party");
    drop(slots);
    assert_eq!(admission.counts(), (0, 0));
    assert!(admission.with(|state| state.parties.is_empty() && state.servers.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn however_many_strangers_stall_a_quick_party_begins_at_once() {
    for hosts in [1, 64] {
        let admission = Admission::new(caps());
        let good = account("good");
        quick(&admission, &good).await;
        let mut slots = Vec::new();
        for round in 0..30 {
            for stranger in 0..200 {
                let name = format!("evil{}-{stranger}", round % 3);
                greedy(&admission, &at(&name, &format!("tar{}.example", stranger % hosts)), &mut slots);
            }
            let taken = admission.enter(&good).map(drop);
            assert_eq!(taken, Ok(()), "round {round}, {hosts} hosts, {:?}", admission.counts());
            // One conversation cannot move and keeps its worker; all others wait, and are slow from then on.
            for slot in &slots {
                slot.step_aside();
                slot.was_slow();
            }
            assert!(admission.counts().1 <= caps().waiting);
        }
        assert!(admission.counts().0 < caps().workers, "{:?}", admission.counts());
        assert_eq!(admission.enter(&good).map(drop), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_party_takes_no_worker_until_it_has_been_forgiven() {
    let admission = Admission::new(caps());
    let late = account("late");
    let slot = admission.enter(&late).unwrap();
    slot.watch(tokio::time::sleep(Duration::from_secs(20))).await;
    assert_eq!(admission.counts(), (0, 1), "it gave its worker up");
    drop(slot);
    assert_eq!(admission.pace(&late.party), Pace::Slow);
    // A quick conversation in between does not change that.
    quick(&admission, &late).await;
    let slot = admission.enter(&late).unwrap();
    assert_eq!(admission.counts(), (0, 1));
    drop(slot);
    tokio::time::advance(SLOW_FOR).await;
    assert_eq!(admission.pace(&late.party), Pace::Quick, "the last one was quick");
    tokio::time::advance(QUICK_FOR).await;
    admission.tidy();
    assert!(admission.with(|state| state.known.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_slow_one_finds_room_beside_many_greedy_ones() {
    let admission = Admission::new(caps());
    let slow = |name: &str| {
        let claimant = account(name);
        admission.enter(&claimant).unwrap().was_slow();
        claimant
    };
    let mut slots = Vec::new();
    for name in 0..100 {
        greedy(&admission, &slow(&format!("greedy{name}")), &mut slots);
    }
    assert!(admission.counts().1 < caps().waiting / 2, "{:?}", admission.counts());
    assert!(admission.enter(&slow("modest")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_relay_has_half_of_the_workers_and_is_served_when_it_is_slow() {
    let admission = Admission::new(caps());
    let relay = Claimant::new(Party::Relay("demo".to_owned()), "Relay.Example.");
    assert_eq!(relay.server, "relay.example");
    let mut slots = Vec::new();
    greedy(&admission, &relay, &mut slots);
    assert_eq!(slots.len(), 32);
    slots[0].was_slow();
    slots.clear();
    for name in 0..600 {
        let claimant = account(&format!("evil{name}"));
        if let Ok(slot) = admission.enter(&claimant) {
            slot.step_aside();
            slots.push(slot);
        }
    }
    assert!(admission.enter(&relay).is_ok(), "{:?}", admission.counts());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_place_hears_of_one() {
    let admission = Admission::new(Caps::new(1, 4, 4));
    let slot = admission.enter(&account("one")).unwrap();
    assert!(admission.enter(&account("two")).is_err());
    let waiting = tokio::spawn({
        let admission = admission.clone();
        async move { admission.freed().await }
    });
    slot.watch(tokio::time::sleep(Duration::from_secs(2))).await;
    waiting.await.unwrap();
    assert!(admission.enter(&account("two")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_newcomer_begins_however_many_quick_parties_are_busy() {
    let admission = Admission::new(caps());
    let mut slots = Vec::new();
    for name in 0..40 {
        let claimant = account(&format!("quick{name}"));
        quick(&admission, &claimant).await;
        greedy(&admission, &claimant, &mut slots);
    }
    assert_eq!(admission.counts(), (56, 0), "an eighth is reserved");
    for name in 0..8 {
        slots.push(admission.enter(&account(&format!("new{name}"))).unwrap());
    }
    assert_eq!(admission.enter(&account("new9")).map(drop), Err(Full::All));
}
