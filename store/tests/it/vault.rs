//! Keys and what they seal: nothing in the clear, nothing that opens in another place, nothing
//! that opens after its key is gone.

use std::path::Path;

use jiff::Timestamp;
use pratica_domain::case::{self, PartyRole};
use pratica_domain::ids::SubjectId;
use pratica_domain::people::{Address, FiscalCode, Person, Personal};
use pratica_domain::{Event, case::NoteAdded};
use pratica_store::vault::{Find, Place, Rewrapped, Unsealed};
use pratica_store::{
    BlindIndex, MasterKey, Metadata, NewEvent, Position, RecordedEvent, Revision, StoreError,
    StreamName, Vault, VaultError, codec,
};
use rusqlite::Connection;
use uuid::Uuid;

const NAME: &str = "Dell'Orto \"il Vecchio\"";
const CODE: &str = "RSSMRA80A01H501U";

fn stream(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn subject(n: u128) -> SubjectId {
    SubjectId(Uuid::from_u128(n))
}

fn person() -> Person {
    Person {
        given_name: "Zenobia".to_owned(),
        family_name: NAME.to_owned(),
        fiscal_code: Some(FiscalCode::parse(CODE).unwrap()),
        birth_date: None,
        contact: Some("zenobia@example.org".to_owned()),
    }
}

fn party(n: u128) -> Event {
    let added = case::PartyAdded {
        subject: subject(n),
        role: PartyRole::Applicant,
        person: Personal::new(subject(n), person()),
        account: None,
    };
    Event::Case(added.into())
}

fn encode(event: &Event, id: u128, stream: &StreamName, vault: &Vault) -> NewEvent {
    try_encode(event, id, stream, vault).unwrap()
}

fn try_encode(
    event: &Event,
    id: u128,
    stream: &StreamName,
    vault: &Vault,
) -> Result<NewEvent, StoreError> {
    let metadata = Metadata {
        actor: "anna".to_owned(),
        role: "clerk".to_owned(),
        on_behalf_of: None,
        request_id: None,
        correlation_id: Uuid::nil(),
        causation_id: None,
        rules_version: String::new(),
    };
    let at = Timestamp::UNIX_EPOCH;
    codec::encode(event, Uuid::from_u128(id), stream, at, metadata, vault)
}

fn recorded(event: NewEvent, stream: &StreamName) -> RecordedEvent {
    RecordedEvent {
        position: Position::new(1),
        stream: stream.clone(),
        revision: Revision::FIRST,
        id: event.id,
        event_type: event.event_type.as_ref().into(),
        schema_version: event.schema_version,
        occurred_at: event.occurred_at,
        recorded_at: event.occurred_at,
        metadata_json: serde_json::to_vec(&event.metadata).unwrap().into(),
        payload: event.payload.into(),
    }
}

fn sealed_of(event: &RecordedEvent) -> Personal<Person> {
    let Event::Case(case::Event::PartyAdded(added)) = codec::decode(event).unwrap() else {
        panic!("another event")
    };
    added.person
}

fn altered(result: Result<Event, StoreError>) -> bool {
    matches!(result, Err(StoreError::Corrupt { source: Some(_), .. }))
}

#[test]
fn what_is_recorded_holds_no_personal_data_and_opens_to_what_it_was() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let event = recorded(encode(&party(1), 1, &stream, &vault), &stream);
    let text = String::from_utf8(event.payload.to_vec()).unwrap();
    for plain in ["Orto", "Zenobia", CODE, "zenobia@", "Vecchio"] {
        assert!(!text.contains(plain), "{plain} is in {text}");
    }
    let sealed = sealed_of(&event);
    assert!(!sealed.is_readable());
    assert_eq!(sealed.value, Person::default(), "what is not opened is empty");
    assert_eq!(codec::open(&event, &vault).unwrap(), party(1));
    assert_eq!(vault.read(stream.as_str(), sealed).unwrap().value, person());
}

#[test]
fn the_same_value_is_sealed_differently_each_time() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let one = encode(&party(1), 1, &stream, &vault);
    let two = encode(&party(1), 1, &stream, &vault);
    assert_ne!(one.payload, two.payload);
}

#[test]
fn sealed_data_opens_in_no_other_event_stream_place_or_person() {
    let vault = Vault::in_memory().unwrap();
    let (here, there) = (stream("town.residency-1"), stream("town.residency-2"));
    let event = recorded(encode(&party(1), 1, &here, &vault), &here);
    let moved = RecordedEvent { stream: there, ..event.clone() };
    assert!(altered(codec::open(&moved, &vault)), "another stream");
    let moved = RecordedEvent { id: Uuid::from_u128(2), ..event.clone() };
    assert!(altered(codec::open(&moved, &vault)), "another event");
    let text = String::from_utf8(event.payload.to_vec()).unwrap();
    let other = text.replace(&subject(1).to_string(), &subject(2).to_string());
    let moved = RecordedEvent { payload: other.into_bytes().into(), ..event.clone() };
    assert!(altered(codec::open(&moved, &vault)), "another person");
    let sealed = sealed_of(&event);
    let place = Place { event: event.id, ordinal: 1 };
    let opened = vault.unseal(here.as_str(), Some(place), subject(1), sealed.sealed().unwrap());
    assert!(matches!(opened, Err(VaultError::Altered)), "another place");
}

#[test]
fn no_changed_byte_of_a_sealed_text_goes_unnoticed() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let event = recorded(encode(&party(1), 1, &stream, &vault), &stream);
    let sealed = sealed_of(&event).sealed().unwrap().to_owned();
    let place = Place { event: event.id, ordinal: 0 };
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = String::from_utf8(bytes).unwrap();
        // A key that does not exist, or one that does not open it: never another value.
        let opened = vault.unseal(stream.as_str(), Some(place), subject(1), &text);
        assert!(
            matches!(opened, Err(VaultError::Altered | VaultError::UnknownKey(_))),
            "byte {at} of the text may be changed"
        );
    }
}

#[test]
fn every_person_of_every_case_has_a_key_of_their_own() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let key_of = |n: u128| {
        let event = recorded(encode(&party(n), n, &stream, &vault), &stream);
        codec::key_numbers(&event).collect::<Vec<_>>()
    };
    let mut keys: Vec<u64> = (1..=600).flat_map(key_of).collect();
    assert_eq!(key_of(1), keys[..1], "what comes later is sealed with the same key");
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 600);
}

#[test]
fn a_destroyed_key_takes_its_person_away_and_nobody_else() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let one = recorded(encode(&party(1), 1, &stream, &vault), &stream);
    let two = recorded(encode(&party(2), 2, &stream, &vault), &stream);
    let keys: Vec<u64> = codec::key_numbers(&one).collect();
    assert_eq!(vault.destroy(&keys).unwrap(), 1);
    assert_eq!(vault.destroy(&keys).unwrap(), 0, "a second time there is nothing to destroy");
    let Event::Case(case::Event::PartyAdded(erased)) = codec::open(&one, &vault).unwrap() else {
        panic!("another event")
    };
    assert!(!erased.person.is_readable());
    assert!(vault.person(&stream, &erased.person).unwrap().is_empty(), "found by nothing");
    assert_eq!(codec::open(&two, &vault).unwrap(), party(2));
    // What comes later of the same person has a new key.
    let later = recorded(encode(&party(1), 3, &stream, &vault), &stream);
    assert_ne!(codec::key_numbers(&later).collect::<Vec<_>>(), keys);
    assert_eq!(codec::open(&later, &vault).unwrap(), party(1));
}

#[test]
fn what_was_not_opened_cannot_be_recorded_in_another_place() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let event = recorded(encode(&party(1), 1, &stream, &vault), &stream);
    let closed = codec::decode(&event).unwrap();
    let metadata = event.metadata().unwrap();
    let at = event.occurred_at;
    let again = codec::encode(&closed, Uuid::from_u128(2), &stream, at, metadata, &vault);
    assert!(matches!(again, Err(StoreError::InvalidEvent { .. })));
}

#[test]
fn what_cannot_be_sealed_is_refused_with_all_that_the_keys_say_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let vault = Vault::open(&path, &MasterKey::generate().unwrap()).unwrap();
    let aside = Connection::open(&path).unwrap();
    aside.execute_batch("ALTER TABLE data_keys RENAME TO elsewhere").unwrap();
    let stream = stream("town.residency-1");
    let refused = try_encode(&party(1), 1, &stream, &vault).unwrap_err();
    assert!(refused.may_be_retried(), "{refused}");
    assert!(matches!(&refused, StoreError::Beside { path, .. } if path.ends_with("keys.db")));
    let of_the_keys = std::error::Error::source(&refused).unwrap();
    let said = of_the_keys.downcast_ref::<VaultError>().unwrap();
    assert!(matches!(said, VaultError::Sqlite(_)), "{said}");
    let cause = std::error::Error::source(said).unwrap().to_string();
    assert!(cause.contains("no such table: data_keys"), "{cause}");
    // The cause is gone.
    aside.execute_batch("ALTER TABLE elsewhere RENAME TO data_keys").unwrap();
    let sealed = recorded(encode(&party(1), 1, &stream, &vault), &stream);
    assert_eq!(codec::open(&sealed, &vault).unwrap(), party(1));
}

#[test]
fn texts_that_look_like_sealed_ones_stay_texts() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let text = format!("{{\"subject\":\"{}\",\"sealed\":\"AAAA\"}} \\\",\"sealed\":\"", subject(1));
    let note = NoteAdded {
        note: pratica_domain::ids::EntryId(Uuid::from_u128(7)),
        text: Personal::new(subject(1), text),
    };
    let event = Event::Case(note.into());
    let stored = recorded(encode(&event, 1, &stream, &vault), &stream);
    assert_eq!(codec::open(&stored, &vault).unwrap(), event);
}

#[test]
fn people_are_found_by_code_and_beginnings_of_names_whatever_their_accents() {
    let vault = Vault::in_memory().unwrap();
    let stream = stream("town.residency-1");
    let event = recorded(encode(&party(1), 1, &stream, &vault), &stream);
    let keys = vault.person(&stream, &sealed_of(&event)).unwrap();
    let finds = |find| vault.find(find).is_some_and(|key| keys.contains(&key));
    for name in ["de", "dell", "DELL'O", "dellorto", "Dell'Orto \"il vecchio"] {
        assert!(finds(Find::Name(name)), "{name}");
    }
    assert!(finds(Find::FiscalCode("rssmra80a01h501u")));
    assert!(!finds(Find::Name("delorto")) && !finds(Find::Name("orto")));
    assert!(vault.find(Find::Name(" -")).is_none());
    let other = Vault::in_memory().unwrap();
    assert_ne!(vault.find(Find::Name("dell")), other.find(Find::Name("dell")));
    for key in &keys {
        let text = key.to_string();
        let hash = text.strip_prefix(key.kind).and_then(|rest| rest.strip_prefix(':')).unwrap();
        assert!(hash.len() == 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    let parcel = |text| vault.find(Find::Parcel(text));
    assert_eq!(parcel("foglio 12, mappale 34"), parcel("12 34"));
    assert_ne!(parcel("1/234"), parcel("12/34"));
    assert_eq!(parcel("via"), None);
    let address = Personal::new(
        subject(1),
        Address { street: "Via dei Mille, 7".to_owned(), ..Address::default() },
    );
    let keys = vault.address(&stream, &address).unwrap();
    for street in ["via dei mille", "VIA DEI MILLE 7", "via dei"] {
        let key = vault.find(Find::Address(street)).unwrap();
        assert!(keys.contains(&key), "{street}");
    }
}

fn seal(vault: &Vault, n: u128) -> String {
    let place = Place { event: Uuid::from_u128(n), ordinal: 0 };
    vault.seal("s", place, subject(n), b"via Zamboni").unwrap()
}

fn opens(vault: &Vault, n: u128, sealed: &str) -> bool {
    matches!(vault.unseal("s", None, subject(n), sealed), Ok(Unsealed::Open(p)) if **p == *b"via Zamboni")
}

fn file_holds(path: &Path, bytes: &[u8]) -> bool {
    let wal = path.with_extension("db-wal");
    [path, wal.as_path()].iter().any(|file| {
        std::fs::read(file).is_ok_and(|c| c.windows(bytes.len()).any(|window| window == bytes))
    })
}

#[test]
fn a_vault_opens_again_with_its_master_key_and_with_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let master = MasterKey::generate().unwrap();
    let vault = Vault::open(&path, &master).unwrap();
    let sealed = seal(&vault, 1);
    assert!(matches!(Vault::open(&path, &master), Err(VaultError::Locked { .. })));
    drop(vault);
    let other = MasterKey::generate().unwrap();
    assert!(matches!(Vault::open(&path, &other), Err(VaultError::WrongMasterKey)));
    let written = MasterKey::parse(&master.to_text()).unwrap();
    let vault = Vault::open(&path, &written).unwrap();
    assert!(opens(&vault, 1, &sealed));
    assert!(!file_holds(&path, b"via Zamboni"));
    for wrong in ["", "5e", &"5e".repeat(33), &"zz".repeat(32)] {
        assert!(matches!(MasterKey::parse(wrong), Err(VaultError::MasterKeyShape)));
    }
}

#[test]
fn what_a_killed_process_wrote_is_in_the_file_itself_before_the_next_one_makes_keys() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).join("keys.db");
    let copy = |from: &str, to: &str, with_wal: bool| {
        std::fs::create_dir(dir.path().join(to)).unwrap();
        std::fs::copy(at(from), at(to)).unwrap();
        if with_wal {
            let wal = |name: &str| at(name).with_extension("db-wal");
            std::fs::copy(wal(from), wal(to)).unwrap();
        }
    };
    let master = MasterKey::generate().unwrap();
    std::fs::create_dir(dir.path().join("living")).unwrap();
    let living = Vault::open(&at("living"), &master).unwrap();
    // Who reads since before keeps what comes in the write-ahead log.
    let reading = reader(&at("living"));
    let sealed = seal(&living, 1);
    copy("living", "killed", true);
    copy("living", "alone", false);
    drop(reading);
    let alone = Vault::open(&at("alone"), &master);
    assert!(!alone.is_ok_and(|vault| opens(&vault, 1, &sealed)), "nothing was left to fold in");
    let next = Vault::open(&at("killed"), &master).unwrap();
    copy("killed", "folded", false);
    let folded = Vault::open(&at("folded"), &master).unwrap();
    assert!(opens(&folded, 1, &sealed) && opens(&next, 1, &sealed));
}

#[test]
fn a_key_that_was_handed_out_before_a_restart_is_never_handed_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let master = MasterKey::generate().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..5_u128 {
        let vault = Vault::open(&path, &master).unwrap();
        for m in 0..10 {
            let key = Vault::key_number(&seal(&vault, n * 10 + m)).unwrap();
            assert!(seen.insert(key), "key {key} seals two persons");
        }
    }
}

#[test]
fn a_rotation_keeps_what_is_there_and_takes_the_old_master_key_its_power() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("keys.db"), dir.path().join("copy.db"));
    let (old, new) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let vault = Vault::open(&path, &old).unwrap();
    let (kept, gone) = (seal(&vault, 1), seal(&vault, 2));
    let pseudonym = vault.pseudonym("person", "x");
    drop(vault);
    std::fs::copy(&path, &copy).unwrap();
    let vault = Vault::open(&path, &old).unwrap();
    vault.destroy(&[Vault::key_number(&gone).unwrap()]).unwrap();
    drop(vault);
    let done = Vault::rotate(&path, &old, &new, |_| {}).unwrap();
    assert_eq!(done.done, done.total);
    assert!(matches!(Vault::open(&path, &old), Err(VaultError::WrongMasterKey)));
    let vault = Vault::open(&path, &new).unwrap();
    assert!(opens(&vault, 1, &kept));
    assert!(matches!(vault.unseal("s", None, subject(2), &gone), Ok(Unsealed::Erased)));
    assert_eq!(vault.pseudonym("person", "x"), pseudonym, "names for analysts stay the same");
    // The older copy opens with the old key only: once that is destroyed, nobody opens it.
    assert!(matches!(Vault::open(&copy, &new), Err(VaultError::WrongMasterKey)));
    assert!(opens(&Vault::open(&copy, &old).unwrap(), 2, &gone), "until the old key is destroyed");
    drop(vault);
    let same = Vault::rotate(&path, &new, &new, |_| {});
    assert!(matches!(same, Err(VaultError::SameMasterKey)));
    assert!(matches!(Vault::rotate(&path, &old, &new, |_| {}), Err(VaultError::WrongMasterKey)));
}

#[test]
fn a_rotation_that_was_stopped_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let (old, new) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let vault = Vault::open(&path, &old).unwrap();
    let sealed: Vec<String> = (0..1500).map(|n| seal(&vault, n)).collect();
    drop(vault);
    let stopped = std::panic::catch_unwind(|| {
        Vault::rotate(&path, &old, &new, |at: Rewrapped| assert!(at.done < 500, "power cut"))
    });
    assert!(stopped.is_err());
    for key in [&old, &new] {
        assert!(matches!(Vault::open(&path, key), Err(VaultError::RotationUnfinished)));
    }
    let third = MasterKey::generate().unwrap();
    let other = Vault::rotate(&path, &old, &third, |_| {});
    assert!(matches!(other, Err(VaultError::RotationUnfinished)), "with the same two keys only");
    let mut first = None;
    Vault::rotate(&path, &old, &new, |at| {
        first.get_or_insert(at);
    })
    .unwrap();
    assert!(first.unwrap().done >= 1000, "what was done is not done again");
    let vault = Vault::open(&path, &new).unwrap();
    for (n, sealed) in sealed.iter().enumerate() {
        assert!(opens(&vault, n as u128, sealed));
    }
}

/// Somebody who looks at the file as it is now, until they are gone.
fn reader(path: &Path) -> Connection {
    let c = Connection::open(path).unwrap();
    c.execute_batch("BEGIN").unwrap();
    c.query_row("SELECT count(*) FROM data_keys", [], |_| Ok(())).unwrap();
    c
}

/// Every key as it stands in the file, wrapped.
fn wrapped(path: &Path) -> Vec<Vec<u8>> {
    let c = Connection::open(path).unwrap();
    let mut all =
        c.prepare("SELECT wrapped FROM data_keys UNION SELECT wrapped FROM secrets").unwrap();
    let rows = all.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_rotation_that_a_reader_holds_up_is_not_done_and_the_same_command_finishes_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.db");
    let (old, new) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let vault = Vault::open(&path, &old).unwrap();
    let sealed: Vec<String> = (0..3).map(|n| seal(&vault, n)).collect();
    drop(vault);
    let before = wrapped(&path);
    assert!(before.len() > 1000);
    let left = || before.iter().filter(|bytes| file_holds(&path, bytes)).count();
    let mut reading = None;
    let held_up = Vault::rotate(&path, &old, &new, |_| {
        reading.get_or_insert_with(|| reader(&path));
    });
    let error = held_up.unwrap_err();
    assert!(matches!(&error, VaultError::RotationHeldUp { path: named } if *named == path));
    for word in ["keys.db", "run the same command again"] {
        assert!(error.to_string().contains(word), "{word} in {error}");
    }
    assert!(left() > 0, "nothing was held up: nothing is tried");
    // The reader has seen enough, and stays: what is left does not go by itself.
    let reading = reading.unwrap();
    reading.execute_batch("COMMIT").unwrap();
    assert!(left() > 0);
    let done = Vault::rotate(&path, &old, &new, |_| {}).unwrap();
    assert_eq!((done.done, left()), (done.total, 0), "nothing is left that the old key opens");
    drop(reading);
    assert!(matches!(Vault::open(&path, &old), Err(VaultError::WrongMasterKey)));
    let vault = Vault::open(&path, &new).unwrap();
    assert!((0..).zip(&sealed).all(|(n, sealed)| opens(&vault, n, sealed)));
}

fn sealed(vault: &Vault, n: u128) -> String {
    let place = Place { event: Uuid::from_u128(n), ordinal: 0 };
    vault.seal("a.permit-1", place, subject(n), b"Zenobia").unwrap()
}

fn opened(vault: &Vault, n: u128, text: &str) -> bool {
    match vault.unseal("a.permit-1", None, subject(n), text).unwrap() {
        Unsealed::Open(plain) => {
            assert_eq!(&**plain, b"Zenobia");
            true
        }
        Unsealed::Erased => false,
    }
}

#[test]
fn nodes_share_keys_and_what_one_destroys_no_other_opens_though_it_had_it_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let shared = directory.path().join("shared");
    let master = MasterKey::generate().unwrap();
    drop(Vault::share(None, &shared, &master).unwrap());
    let (one, two) = (
        Vault::open_shared(&shared, &master).unwrap(),
        Vault::open_shared(&shared, &master).unwrap(),
    );
    // More than a block, by both in turns: no number is given twice.
    let texts: Vec<_> = (0..600).map(|n| sealed(if n % 2 == 0 { &one } else { &two }, n)).collect();
    let keys: std::collections::BTreeSet<_> =
        texts.iter().filter_map(|t| Vault::key_number(t)).collect();
    assert_eq!(keys.len(), 600);
    for vault in [&one, &two] {
        for (n, text) in (0..).zip(&texts) {
            assert!(opened(vault, n, text));
        }
        assert_eq!(vault.fingerprint([7; 32]), one.fingerprint([7; 32]));
        assert_eq!(vault.secret("evidence").unwrap(), one.secret("evidence").unwrap());
    }
    let gone = Vault::key_number(&texts[3]).unwrap();
    assert_eq!(one.destroy(&[gone]).unwrap(), 1);
    assert_eq!(one.destroy(&[gone]).unwrap(), 0);
    assert!(!opened(&one, 3, &texts[3]) && !opened(&two, 3, &texts[3]));
    assert!(opened(&two, 4, &texts[4]));
    // What is sealed for that person from now on has another key.
    assert_ne!(Vault::key_number(&sealed(&two, 3)), Some(gone));
    let wrong = Vault::open_shared(&shared, &MasterKey::generate().unwrap());
    assert!(matches!(wrong, Err(VaultError::WrongMasterKey)));
    let missing = Vault::open_shared(&directory.path().join("nowhere"), &master);
    assert!(matches!(missing, Err(VaultError::Io { .. })), "never made by opening it");
    assert!(Vault::share(None, &shared, &master).is_err(), "never made twice");
}

#[test]
fn keys_move_into_the_shared_directory_and_out_and_a_rotation_makes_old_copies_unreadable() {
    let directory = tempfile::tempdir().unwrap();
    let (file, shared) = (directory.path().join("keys.db"), directory.path().join("shared"));
    let (old, new) = (MasterKey::generate().unwrap(), MasterKey::generate().unwrap());
    let alone = Vault::open(&file, &old).unwrap();
    let texts: Vec<_> = (0..300).map(|n| sealed(&alone, n)).collect();
    alone.destroy(&[Vault::key_number(&texts[5]).unwrap()]).unwrap();
    let name = alone.pseudonym("clerk", "carla");
    drop(alone);
    let vault = Vault::share(Some(&file), &shared, &old).unwrap();
    for (n, text) in (0..).zip(&texts) {
        assert_eq!(opened(&vault, n, text), n != 5, "{n}");
    }
    assert_eq!(vault.pseudonym("clerk", "carla"), name);
    // While a node has it open nobody rotates.
    let refused = Vault::rotate(&shared, &old, &new, |_| {});
    assert!(matches!(refused, Err(VaultError::Locked { .. })));
    drop(vault);
    // A copy of before the erasure, as a backup of the volume would be.
    let copy = directory.path().join("copy");
    copy_tree(&shared, &copy);
    let vault = Vault::open_shared(&shared, &old).unwrap();
    vault.destroy(&[Vault::key_number(&texts[7]).unwrap()]).unwrap();
    drop(vault);
    let done = Vault::rotate(&shared, &old, &new, |_| {}).unwrap();
    assert_eq!(done.done, done.total);
    assert!(matches!(Vault::open_shared(&shared, &old), Err(VaultError::WrongMasterKey)));
    let stale = Vault::open_shared(&copy, &new);
    assert!(matches!(stale, Err(VaultError::WrongMasterKey)), "the new key opens no old copy");
    let back = directory.path().join("back.db");
    let vault = Vault::unshare(&shared, &back, &new).unwrap();
    for (n, text) in (0..).zip(&texts) {
        assert_eq!(opened(&vault, n, text), n != 5 && n != 7, "{n}");
    }
    drop(vault);
    assert!(matches!(Vault::unshare(&shared, &back, &new), Err(VaultError::NotEmpty)));
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
