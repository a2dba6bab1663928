//! Nobody edits history unseen: each way to change the log by hand is found, and receipts hold
//! without the server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use pratica_store::evidence::{
    EvidenceError, Hash, Receipt, Signer, Stated, Tree, Verifier, audit, check_consistency,
    checkpoint, leaf, stated,
};
use pratica_store::{
    AppendRequest, Direction, EventAppender, EventReader, Expected, Filter, Metadata, NewEvent,
    Position, RecordedEvent, Revision, SqliteLog, StreamName, sqlite,
};
use rusqlite::Connection;
use uuid::Uuid;

const EVENTS: u64 = 60;

fn new_event(n: u64) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(u128::from(n)),
        event_type: "case.note_added".into(),
        schema_version: 1,
        occurred_at: Timestamp::from_second(1_700_000_000 + n.cast_signed()).unwrap(),
        payload: format!("{{\"n\":{n},\"text\":\"what was said, call number {n}\"}}").into_bytes(),
        metadata: Metadata {
            actor: format!("officer.{}", n % 3),
            role: "officer".to_owned(),
            on_behalf_of: None,
            request_id: None,
            correlation_id: Uuid::from_u128(1),
            causation_id: None,
            rules_version: "italy-2026".to_owned(),
        },
    }
}

/// A log of sixty events in five streams, its tree, and checkpoints at some sizes.
struct Place {
    dir: tempfile::TempDir,
    tree: Tree,
    signer: Signer,
    notes: Vec<String>,
}

impl Place {
    async fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(dir.path().join("log.db"), sqlite::Options::default()).unwrap();
        for n in 0..EVENTS {
            let expected = match n / 5 {
                0 => Expected::NoStream,
                before => Expected::Exact(Revision::new(before - 1)),
            };
            let stream = StreamName::parse(&format!("town.residency-{}", n % 5)).unwrap();
            let recorded_at = Timestamp::from_second(1_700_000_500).unwrap();
            let events = vec![new_event(n)];
            log.append(AppendRequest { stream, expected, events, request: None, recorded_at })
                .await
                .unwrap();
        }
        let tree = Tree::open(&dir.path().join("tree.db")).unwrap();
        let signer = Signer::new("town/log", &[7; 32]).unwrap();
        let mut notes = Vec::new();
        for events in all(&log).await.chunks(7) {
            let size = tree.append(events).unwrap();
            notes.push(checkpoint(&signer, size, tree.root(size).unwrap()).unwrap());
        }
        Place { dir, tree, signer, notes }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("log.db")
    }

    fn stated(&self) -> Vec<Stated> {
        let verifier = self.signer.verifier();
        self.notes.iter().map(|note| stated(note, &verifier).unwrap()).collect()
    }

    /// A copy of the log, changed by hand with its triggers dropped.
    fn tampered(&self, name: &str, change: &str) -> PathBuf {
        let copy = self.dir.path().join(name);
        let c = Connection::open(self.path()).unwrap();
        c.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        let c = Connection::open(&copy).unwrap();
        for trigger in
            ["events_in_order", "events_never_change", "events_never_go", "streams_never_change"]
        {
            c.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        c.execute_batch(change).unwrap();
        copy
    }
}

async fn all(log: &SqliteLog) -> Vec<RecordedEvent> {
    log.read_all(Position::START, Direction::Forwards, &Filter::all(), 1000).await.unwrap().events
}

async fn audited(
    path: &Path,
    tree: Option<&Tree>,
    stated: &[Stated],
) -> Result<pratica_store::evidence::Audited, EvidenceError> {
    let log = SqliteLog::open(path, sqlite::Options::default()).unwrap();
    audit(&log, tree, stated, |_, _| {}).await
}

#[tokio::test]
async fn a_log_that_nobody_touched_agrees_with_all_its_checkpoints() {
    let place = Place::new().await;
    let found = audited(&place.path(), Some(&place.tree), &place.stated()).await.unwrap();
    assert_eq!((found.events, found.checkpoints), (EVENTS, 9));
    assert_eq!(found.root, place.tree.root(EVENTS).unwrap());
    let again = Tree::in_memory().unwrap();
    let log = SqliteLog::open(place.path(), sqlite::Options::default()).unwrap();
    let events = all(&log).await;
    for event in &events {
        again.append(std::slice::from_ref(event)).unwrap();
    }
    again.append(&events).unwrap();
    assert_eq!(again.root(EVENTS).unwrap(), found.root, "one by one, or twice, it is one tree");
}

/// Every way to edit history, the first position that it concerns, and the SQL.
const EDITS: &[(&str, u64, &str)] = &[
    (
        "payload",
        20,
        "UPDATE events SET payload = replace(payload, 'said', 'sung') WHERE position = 20",
    ),
    (
        "actor",
        21,
        "UPDATE events SET metadata = replace(metadata, 'officer.2', 'officer.1') WHERE position = 21",
    ),
    ("type", 5, "UPDATE events SET type = 'case.note_addex' WHERE position = 5"),
    ("version", 6, "UPDATE events SET schema_version = 2 WHERE position = 6"),
    ("id", 7, "UPDATE events SET event_id = randomblob(16) WHERE position = 7"),
    (
        "occurred",
        33,
        "UPDATE events SET occurred_at = occurred_at - 86400000000000 WHERE position = 33",
    ),
    ("recorded", 34, "UPDATE events SET recorded_at = recorded_at + 1 WHERE position = 34"),
    ("stream", 2, "UPDATE streams SET name = 'town.residency-9' WHERE name = 'town.residency-1'"),
    ("remove the last", 60, "DELETE FROM events WHERE position = 60"),
    ("remove the first", 1, "DELETE FROM events WHERE position = 1"),
    (
        "remove one and close the gap",
        30,
        "DELETE FROM events WHERE position = 30;
         UPDATE events SET revision = revision - 1 WHERE position > 30 AND stream_id = 5;
         UPDATE events SET position = -position WHERE position > 30;
         UPDATE events SET position = -position - 1 WHERE position < 0",
    ),
    (
        "insert one",
        41,
        "UPDATE events SET position = -position WHERE position > 40;
         UPDATE events SET position = -position + 1 WHERE position < 0;
         INSERT INTO events SELECT 41, 1, 500, randomblob(16), type, schema_version, occurred_at,
            recorded_at, metadata, payload FROM events WHERE position = 40",
    ),
    (
        "reorder two",
        10,
        "UPDATE events SET position = -1 WHERE position = 10;
         UPDATE events SET position = 10 WHERE position = 11;
         UPDATE events SET position = 11 WHERE position = -1",
    ),
    (
        "exchange two payloads",
        15,
        "UPDATE events SET payload = (SELECT payload FROM events o
            WHERE o.position = CASE events.position WHEN 15 THEN 50 ELSE 15 END)
         WHERE position IN (15, 50)",
    ),
];

#[tokio::test]
async fn every_way_to_edit_history_by_hand_is_found_and_its_place_is_named() {
    let place = Place::new().await;
    for (what, at, change) in EDITS {
        let path = place.tampered(&format!("{what}.db"), change);
        let error = audited(&path, Some(&place.tree), &place.stated()).await.unwrap_err();
        match error {
            EvidenceError::Departs { from, .. } => assert_eq!(from, *at, "{what}"),
            EvidenceError::Gap { position } => assert_eq!(position.get(), at + 1, "{what}"),
            error => panic!("{what}: {error}"),
        }
    }
}

#[tokio::test]
async fn who_also_makes_the_tree_again_is_found_by_the_checkpoints_that_others_hold() {
    let place = Place::new().await;
    let stated = place.stated();
    for (what, at, change) in EDITS {
        let path = place.tampered(&format!("{what} deeply.db"), change);
        match audited(&path, None, &stated).await.unwrap_err() {
            EvidenceError::Departs { from, to } => {
                assert!((from..=to).contains(at), "{what}: {at} is not in {from} to {to}");
                assert!(to - from < 7, "{what}: between two checkpoints");
            }
            EvidenceError::Gap { position } => assert_eq!(position.get(), at + 1, "{what}"),
            error => panic!("{what}: {error}"),
        }
    }
}

#[tokio::test]
async fn no_single_flipped_bit_of_the_file_changes_an_event_unseen() {
    let place = Place::new().await;
    let sound = {
        let copy = place.tampered("sound.db", "");
        std::fs::read(copy).unwrap()
    };
    let path = place.dir.path().join("flipped.db");
    let (events, stated) = {
        let log = SqliteLog::open(place.path(), sqlite::Options::default()).unwrap();
        (all(&log).await, place.stated())
    };
    let (mut found, mut harmless) = (0, 0);
    // A prime stride: it meets every offset within a page and every bit of a byte in time.
    for bit in (0..sound.len() * 8).step_by(499) {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        for name in ["flipped.db", "flipped.db-wal", "flipped.db-shm"] {
            let _ = std::fs::remove_file(place.dir.path().join(name));
        }
        std::fs::write(&path, &bytes).unwrap();
        // To be refused at the door is to be found, too.
        let Ok(log) = SqliteLog::open(&path, sqlite::Options::default()) else {
            found += 1;
            continue;
        };
        match audit(&log, Some(&place.tree), &stated, |_, _| {}).await {
            Err(_) => found += 1,
            Ok(_) => {
                assert_eq!(all(&log).await, events, "bit {bit} changed an event unseen");
                harmless += 1;
            }
        }
    }
    assert!(found > 100 && harmless > 100, "{found} found, {harmless} where no event lies");
}

fn receipt(place: &Place, event: &RecordedEvent, size: u64) -> Receipt {
    let note = checkpoint(&place.signer, size, place.tree.root(size).unwrap()).unwrap();
    Receipt {
        leaf: leaf(event),
        index: event.position.get() - 1,
        proof: place.tree.inclusion(event.position, size).unwrap(),
        checkpoint: note,
    }
}

#[tokio::test]
async fn a_receipt_is_checked_with_nothing_but_the_published_key() {
    let place = Place::new().await;
    let log = SqliteLog::open(place.path(), sqlite::Options::default()).unwrap();
    let published: Verifier = place.signer.verifier().to_string().parse().unwrap();
    for event in all(&log).await {
        for size in [event.position.get(), 31, EVENTS] {
            if size < event.position.get() {
                assert!(place.tree.inclusion(event.position, size).is_err());
                continue;
            }
            let text = receipt(&place, &event, size).to_string();
            let read: Receipt = text.parse().unwrap();
            let stated = read.verify(&published).unwrap();
            assert_eq!((stated.origin.as_str(), stated.size), ("town/log", size));
            assert!(read.leaf.contains(&format!("id {}\n", event.id)));
        }
    }
}

#[tokio::test]
async fn no_changed_byte_of_a_receipt_goes_unnoticed() {
    let place = Place::new().await;
    let log = SqliteLog::open(place.path(), sqlite::Options::default()).unwrap();
    let event = all(&log).await.remove(17);
    let whole = receipt(&place, &event, EVENTS);
    let text = whole.to_string();
    let verifier = place.signer.verifier();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let Ok(read) = changed.parse::<Receipt>() else { continue };
            if read == whole {
                continue;
            }
            assert!(read.verify(&verifier).is_err(), "byte {at} bit {bit}");
        }
    }
    let other = Signer::new("town/log", &[8; 32]).unwrap().verifier();
    assert!(matches!(whole.verify(&other), Err(EvidenceError::Signature)));
    let named = Signer::new("city/log", &[7; 32]).unwrap().verifier();
    assert!(matches!(whole.verify(&named), Err(EvidenceError::Signature)));
}

#[tokio::test]
async fn two_checkpoints_of_one_history_are_consistent_and_of_two_are_not() {
    let place = Place::new().await;
    let stated = place.stated();
    for older in &stated {
        for newer in stated.iter().filter(|s| s.size >= older.size) {
            let proof = place.tree.consistency(older.size, newer.size).unwrap();
            check_consistency(older, newer, &proof).unwrap();
            let rewritten = Stated { root: Hash([9; 32]), ..older.clone() };
            assert!(check_consistency(&rewritten, newer, &proof).is_err());
        }
    }
}

#[tokio::test]
async fn the_tree_is_that_of_rfc_6962() {
    // The hash of a leaf is SHA-256(0x00 || leaf), that of a node SHA-256(0x01 || left || right).
    let place = Place::new().await;
    let log = SqliteLog::open(place.path(), sqlite::Options::default()).unwrap();
    let events = all(&log).await;
    let sha = |parts: &[&[u8]]| {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        parts.iter().for_each(|part| context.update(part));
        context.finish().as_ref().to_vec()
    };
    let leaves: Vec<Vec<u8>> =
        events[..3].iter().map(|e| sha(&[&[0], leaf(e).as_bytes()])).collect();
    let left = sha(&[&[1], &leaves[0], &leaves[1]]);
    let root = sha(&[&[1], &left, &leaves[2]]);
    assert_eq!(place.tree.root(3).unwrap().0.to_vec(), root);
}

#[tokio::test]
async fn a_reader_of_any_store_makes_the_same_tree() {
    let place = Place::new().await;
    let sqlite = SqliteLog::open(place.path(), sqlite::Options::default()).unwrap();
    let memory = Arc::new(pratica_store::MemoryLog::default());
    for event in all(&sqlite).await {
        let expected = match event.revision.get() {
            0 => Expected::NoStream,
            n => Expected::Exact(Revision::new(n - 1)),
        };
        memory
            .append(AppendRequest {
                stream: event.stream.clone(),
                expected,
                events: vec![new_event(event.position.get() - 1)],
                request: None,
                recorded_at: event.recorded_at,
            })
            .await
            .unwrap();
    }
    let found = audit(&*memory, Some(&place.tree), &place.stated(), |_, _| {}).await.unwrap();
    assert_eq!(found.events, EVENTS);
}
