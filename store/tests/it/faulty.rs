//! The store with faults fails as it was told to, and the same way again.

use std::sync::Arc;

use pratica_store::testing::{Faults, FaultyLog, append, event, name, request};
use pratica_store::{AppendRequest, EventAppender, EventReader, Expected, MemoryLog, StoreError};

const OFTEN: Faults = Faults { conflict: 200, crash_before: 200, crash_after: 200 };

/// Appends with retries until each is answered, and tells the failures on the way.
async fn run(seed: u64) -> (Vec<&'static str>, MemoryLogs) {
    let inner = Arc::new(MemoryLog::new());
    let log = FaultyLog::new(Arc::clone(&inner) as _, seed, OFTEN);
    let mut failures = Vec::new();
    for number in 0..100 {
        loop {
            let at: Expected = log.stream_revision(&name("a.permit-1")).await.unwrap().into();
            let request = Some(request(number, 1));
            let event = vec![event(number as u64)];
            match log.append(AppendRequest { request, ..append("a.permit-1", at, event) }).await {
                Ok(_) => break,
                Err(StoreError::Conflict { .. }) => failures.push("conflict"),
                Err(StoreError::Unavailable { .. }) => failures.push("unavailable"),
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    let injected = log.injected();
    assert!(injected.conflicts > 0 && injected.crashes_before > 0 && injected.crashes_after > 0);
    log.set(Faults::default());
    (failures, MemoryLogs { inner })
}

struct MemoryLogs {
    inner: Arc<MemoryLog>,
}

#[tokio::test]
async fn whoever_retries_with_the_same_request_id_has_one_effect() {
    let (failures, MemoryLogs { inner }) = run(1).await;
    assert!(failures.len() > 30, "{failures:?}");
    assert_eq!(inner.head().await.unwrap().get(), 100);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
    assert_eq!(run(1).await.0, run(1).await.0);
    assert_ne!(run(1).await.0, run(2).await.0);
}
