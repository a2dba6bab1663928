//! A page in the middle of a file beside the log that is damaged, at a start and under a server that
//! works: nothing wrong is served, nothing is repaired or written over, the file is named, and whoever
//! does not need the page goes on.

use crate::kill::{COMUNE, FILE, Running, town, views};
use pratica_api::cli::Failure;
use pratica_api::demo::{OFFICER, Town, Who, declaration};
use pratica_domain::Role;
use pratica_store::evidence::Receipt;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PAGE: usize = 4096;
/// More than a process looks at again after a start, and thereby keeps in memory.
const CASES: usize = 200;
const GET_CASE: &str = "pratica.cases.v1.CasesService/GetCase";
/// One account does all of it here.
const MANY_CALLS: &[&str] = &["--calls-per-second", "100000"];
const PROTECTION: Who = Who("rpd", Role::ProtectionOfficer);

/// A town of many cases, whose server is not running and has left nothing to be folded in.
struct Place {
    data: tempfile::TempDir,
    /// The family name in each.
    cases: BTreeMap<String, String>,
}

impl Place {
    async fn new() -> Place {
        let mut place = Place { data: tempfile::tempdir().unwrap(), cases: BTreeMap::new() };
        let server = place.start();
        let mut people = town(&server, place.data.path());
        for n in 0..CASES {
            let name = format!("Rossi{n}x");
            let case = file(&mut people, &name).await.unwrap();
            place.cases.insert(case, name);
        }
        views(&mut people).await;
        server.stop();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data.path().join(COMUNE).join(name)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.data.path().join("said")).unwrap()
    }

    fn start(&self) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pratica"));
        let said = std::fs::File::create(self.data.path().join("said")).unwrap();
        command.stderr(said);
        let at = "2026-03-02T09:00:00Z";
        let server = Running::spawn(command, self.data.path(), &[COMUNE], at, MANY_CALLS);
        assert_ne!(server.url, "http://", "it does not start: {}", self.said());
        server
    }

    /// What a command of who owns the data says that does not succeed.
    fn refused(&self, command: &[&str]) -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_pratica"))
            .args(command)
            .arg("--data")
            .arg(self.data.path())
            .env("PRATICA_MASTER_KEY_FROM", "demo")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{command:?}: {said}");
        said
    }
}

/// A page of a file, as it was and as it is.
struct Damage {
    file: PathBuf,
    at: usize,
    was: Vec<u8>,
}

impl Damage {
    /// Noise over the page in the middle of a table: neither its first nor its last.
    fn in_the_middle_of(file: PathBuf, table: &str, part: (usize, usize)) -> Damage {
        let c = Connection::open(&file).unwrap();
        let mut leaves = c
            .prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path")
            .unwrap();
        let leaves: Vec<usize> = leaves
            .query_map([table], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs() as usize))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(leaves.len() > 2, "{table} has no middle: {} pages", leaves.len());
        let chosen = (leaves.len() * part.0 / part.1).max(1);
        Damage::over(file, leaves[chosen])
    }

    fn over(file: PathBuf, page: usize) -> Damage {
        let at = (page - 1) * PAGE;
        let mut bytes = std::fs::read(&file).unwrap();
        let was = bytes[at..at + PAGE].to_vec();
        bytes[at..at + PAGE].fill(0xa5);
        // Over the file, as a disk does it: who has it open has it still.
        write(&file, at, &bytes[at..at + PAGE]);
        Damage { file, at, was }
    }

    /// Whether nobody wrote over it.
    fn is_left_as_it_was(&self) -> bool {
        std::fs::read(&self.file).unwrap()[self.at..self.at + PAGE] == [0xa5; PAGE]
    }

    fn mend(self) {
        write(&self.file, self.at, &self.was);
    }
}

fn write(file: &Path, at: usize, bytes: &[u8]) {
    use std::os::unix::fs::FileExt as _;
    let file = std::fs::File::options().write(true).open(file).unwrap();
    file.write_all_at(bytes, at as u64).unwrap();
}

async fn file(people: &mut Town, name: &str) -> Result<String, Failure> {
    let mut form = declaration("Anna", name, "CHANGE_OF_DWELLING");
    form["request_id"] = json!(uuid::Uuid::new_v4().to_string());
    let answer = people.call(OFFICER, FILE, form).await?;
    Ok(answer["outcome"]["case_id"].as_str().unwrap().to_owned())
}

/// What a client is told that is refused for a fault of ours, which coming again does not mend.
fn is_a_fault(refusal: &Failure) -> bool {
    matches!(refusal, Failure::Status(status) if status.code() == tonic::Code::Internal)
}

/// The cases that are refused; every other one is what was filed.
async fn refused_cases(people: &mut Town, cases: &BTreeMap<String, String>) -> Vec<String> {
    let mut refused = Vec::new();
    for (case, name) in cases {
        match people.case(OFFICER, case).await {
            Ok(answer) => assert!(answer.to_string().contains(name.as_str()), "{name}: {answer}"),
            Err(refusal) => {
                assert!(is_a_fault(&refusal), "{refusal:?}");
                refused.push(case.clone());
            }
        }
    }
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_keys_refuse_what_needs_them_by_name_and_nothing_else() {
    let mut place = Place::new().await;
    for under_the_server in [false, true] {
        // The first keys were given to somebody, the last to nobody: this is among the first.
        let damage = || Damage::in_the_middle_of(place.file("keys.db"), "data_keys", (1, 20));
        let before = (!under_the_server).then(damage);
        let server = place.start();
        let damage = before.unwrap_or_else(damage);
        let mut people = town(&server, place.data.path());
        let refused = refused_cases(&mut people, &place.cases).await;
        assert!(!refused.is_empty(), "no key was damaged: nothing is tried");
        assert!(refused.len() < place.cases.len(), "nobody is served");
        for word in ["keys.db is damaged", "restore a backup", "malformed"] {
            assert!(place.said().contains(word), "{word} in {}", place.said());
        }
        let etag = json!("1");
        let note = json!({ "text": "what was said" });
        let told =
            people.act_at(OFFICER, &refused[0], "case.add_note", note, etag).await.unwrap_err();
        assert!(is_a_fault(&told), "{told:?}");
        // Who needs other keys goes on, with new ones too.
        let name = format!("Verdi{under_the_server}x");
        let case = file(&mut people, &name).await.expect("a filing needs none of them");
        assert!(people.case(OFFICER, &case).await.unwrap().to_string().contains(&name));
        if under_the_server {
            // Nor does a term of theirs hold up the terms of others.
            let sound = place.cases.keys().find(|case| !refused.contains(case)).unwrap();
            let etag = |case: Value| case["summary"]["etag"].clone();
            let before = etag(people.case(OFFICER, sound).await.unwrap());
            let told = people.clock_to("2026-03-20T09:00:00Z").await.unwrap_err();
            assert!(is_a_fault(&told), "{told:?}");
            assert_ne!(etag(people.case(OFFICER, sound).await.unwrap()), before);
            assert!(place.said().contains("a term cannot expire"), "{}", place.said());
        }
        server.stop();
        let said = place.refused(&["verify"]);
        assert!(said.contains("keys.db is damaged"), "{said}");
        assert!(damage.is_left_as_it_was());
        damage.mend();
        place.cases.insert(case, name);
        let server = place.start();
        let mut people = town(&server, place.data.path());
        assert!(refused_cases(&mut people, &place.cases).await.is_empty());
        server.stop();
    }
}

/// How many reads the record of access holds or counts, among those that came after `before`.
async fn accounted_for(people: &mut Town, before: u64, reads: usize) -> usize {
    let method = "pratica.privacy.v1.PrivacyService/ListAccesses";
    let rows = json!({ "page_size": reads + 20 });
    let newest = people.call(PROTECTION, method, rows).await.unwrap();
    let newest = newest["accesses"].as_array().unwrap();
    let id = |row: &Value| row["id"].as_u64().unwrap();
    let newest = newest.iter().filter(|row| id(row) > before);
    newest
        .map(|row| match row["method"].as_str().unwrap() {
            GET_CASE => 1,
            "accesses that could not be recorded" => {
                row["detail"].as_str().unwrap().parse().unwrap()
            }
            _ => 0,
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_record_of_access_refuses_nobody_and_counts_what_it_lacks() {
    let place = Place::new().await;
    let server = place.start();
    let mut people = town(&server, place.data.path());
    for _ in 0..4 {
        assert!(refused_cases(&mut people, &place.cases).await.is_empty());
    }
    // Not by itself: the next start looks for the end of the record.
    server.kill();
    for under_the_server in [false, true] {
        let last: u64 = {
            let c = Connection::open(place.file("access.db")).unwrap();
            c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            c.query_row("SELECT max(id) FROM accesses", [], |row| row.get::<_, i64>(0)).unwrap()
        }
        .unsigned_abs();
        // Of the accesses themselves, and of the cases that they were of.
        let damage = |(table, part)| Damage::in_the_middle_of(place.file("access.db"), table, part);
        let both = || [("accesses", (1, 4)), ("seen", (1, 2))].map(damage);
        let before = (!under_the_server).then(both);
        let server = place.start();
        let both = before.unwrap_or_else(both);
        let mut people = town(&server, place.data.path());
        assert!(refused_cases(&mut people, &place.cases).await.is_empty(), "nobody is refused");
        file(&mut people, "Bianchi").await.expect("nor is a filing");
        let mut reads = place.cases.len();
        // A count is written with the next access that can be.
        let until = Instant::now() + Duration::from_secs(60);
        while accounted_for(&mut people, last, reads).await != reads {
            assert!(Instant::now() < until, "reads are neither recorded nor counted");
            let (case, _) = place.cases.iter().next().unwrap();
            people.case(OFFICER, case).await.unwrap();
            reads += 1;
        }
        let said = place.said();
        for word in ["accesses could not be recorded", "access.db", "malformed"] {
            assert!(said.contains(word), "{word} in {said}");
        }
        // What is damaged is not read for something else.
        let all = json!({ "page_size": 500, "account": "nobody" });
        let list = "pratica.privacy.v1.PrivacyService/ListAccesses";
        let refused = people.call(PROTECTION, list, all).await.unwrap_err();
        assert!(is_a_fault(&refused), "{refused:?}");
        assert!(place.said().contains("access.db is damaged"), "{}", place.said());
        server.stop();
        for damage in both {
            assert!(damage.is_left_as_it_was());
            damage.mend();
        }
    }
}

/// Asks for the receipt of the first event of each case; answers how many held and how many were
/// refused.
async fn receipts(people: &mut Town, cases: &BTreeMap<String, String>) -> (usize, usize) {
    let method = "pratica.evidence.v1.EvidenceService/GetReceipt";
    let (mut held, mut refused) = (0, 0);
    for case in cases.keys() {
        match people.call(OFFICER, method, json!({ "case_id": case, "revision": "0" })).await {
            Ok(answer) => {
                let receipt: Receipt = answer["receipt"].as_str().unwrap().parse().unwrap();
                let key = answer["verification_key"].as_str().unwrap().parse().unwrap();
                receipt.verify(&key).expect("what is given holds");
                held += 1;
            }
            Err(refusal) => {
                assert!(is_a_fault(&refusal), "{refusal:?}");
                refused += 1;
            }
        }
    }
    (held, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_evidence_stops_no_command_and_gives_no_receipt_that_does_not_hold() {
    let mut place = Place::new().await;
    for under_the_server in [false, true] {
        let damage = || Damage::in_the_middle_of(place.file("evidence.db"), "hashes", (1, 2));
        let before = (!under_the_server).then(damage);
        let server = place.start();
        let damage = before.unwrap_or_else(damage);
        let mut people = town(&server, place.data.path());
        let (held, refused) = receipts(&mut people, &place.cases).await;
        assert!(held > 0 && refused > 0, "{held} receipts held, {refused} were refused");
        for word in ["evidence.db is damaged", "move the file away", "malformed"] {
            assert!(place.said().contains(word), "{word} in {}", place.said());
        }
        let name = format!("Verdi{under_the_server}x");
        let case = file(&mut people, &name).await.expect("no command waits for the evidence");
        server.stop();
        place.cases.insert(case, name);
        let said = place.refused(&["verify", "log"]);
        assert!(said.contains("evidence.db is damaged"), "{said}");
        assert!(damage.is_left_as_it_was());
        damage.mend();
    }
    // A hash that is another, in a page that is sound: only what it is held against tells.
    let other = Connection::open(place.file("evidence.db")).unwrap();
    let change = "UPDATE hashes SET hash = zeroblob(32) WHERE id IN (0, 1)";
    assert_eq!(other.execute(change, []).unwrap(), 2);
    drop(other);
    let server = place.start();
    let (held, refused) = receipts(&mut town(&server, place.data.path()), &place.cases).await;
    assert!(held > 0 && refused > 0, "{held} receipts held, {refused} were refused");
    assert!(place.said().contains("evidence.db contradicts the log"), "{}", place.said());
    server.stop();
    let said = place.refused(&["verify", "log"]);
    assert!(said.contains("the log is what was signed"), "{said}");
    // As it says: it is made again from the log.
    std::fs::rename(place.file("evidence.db"), place.file("evidence.damaged")).unwrap();
    let server = place.start();
    let (held, refused) = receipts(&mut town(&server, place.data.path()), &place.cases).await;
    assert_eq!((held, refused), (place.cases.len(), 0));
    server.stop();
}
