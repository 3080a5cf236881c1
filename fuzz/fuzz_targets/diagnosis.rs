//! The explanation of a reply: always the same, independent of the host's case, and within a second.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use mail::{diagnosis::diagnose, model::stage::Stage, reply::Reply, smtp::door};

fuzz_target!(|data: &[u8]| {
    let replies = door::replies(data).into_iter().chain(Reply::parse(&String::from_utf8_lossy(data)));
    for reply in replies {
        for stage in Stage::ALL {
            for host in ["smtp.gmail.com", "smtp.exemple.fr"] {
                let began = Instant::now();
                let found = diagnose(stage, host, &reply);
                assert!(began.elapsed() < Duration::from_secs(1), "{reply:?} takes long");
                assert_eq!(diagnose(stage, host, &reply), found);
                let upper = host.to_ascii_uppercase();
                assert_eq!(diagnose(stage, &upper, &reply), found, "the case of the host counts");
            }
        }
    }
});
