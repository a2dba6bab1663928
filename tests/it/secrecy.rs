//! Known names, codes, addresses and texts go in through the commands; their bytes must be in no
//! file, no line of the log and no error that comes out.

use pratica_api::demo::Who;
use pratica_domain::Role;
use pratica_tests::{Server, fault};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

type Test = anyhow::Result<()>;

pub(crate) const CLERK: Who = Who("carla", Role::Clerk);
pub(crate) const OFFICER: Who = Who("anna", Role::Officer);
const OTHER: Who = Who("bruno", Role::Officer);
pub(crate) const HEAD: Who = Who("direttore", Role::Head);
pub(crate) const REGISTRAR: Who = Who("protocollo", Role::Registrar);
const CITIZEN: Who = Who("citizen.p77", Role::Citizen);
const CODE: &str = "RSSMRA80A01H501U";

/// Words that stand nowhere else: one for each text that goes in.
const MARKS: &[&str] = &[
    "Zanzottera",
    "Ermenegilda",
    "Quarantottesimo",
    "locazionissima",
    "consegnatario",
    "motivazionissima",
    "osservazionissima",
    "messaggissimo",
    "richiestissima",
    "visitissima",
    "annotazionissima",
    "rinunciatissima",
    "assegnatissima",
    "proponentissima",
    "astensionissima",
    "riapertissima",
    "collegatissima",
    "correspondissimo",
    "Tizianissimo",
    "indirizzissimo",
    "sospesissima",
    "annullatissima",
    CODE,
    "zanz@posta.example",
];

/// Every line that the process logs, at every level of ours.
pub(crate) fn lines() -> Arc<Mutex<Vec<u8>>> {
    static LINES: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    #[derive(Clone)]
    struct Into(Arc<Mutex<Vec<u8>>>);
    impl Write for Into {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().map_or(Ok(0), |mut all| all.write(bytes))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    Arc::clone(LINES.get_or_init(|| {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Into(Arc::clone(&lines));
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(pratica_api::cli::log_filter("trace"))
            .with_writer(move || writer.clone())
            .finish();
        // Another test of this process may have been first: then its lines are elsewhere.
        let _ = tracing::subscriber::set_global_default(subscriber);
        lines
    }))
}

fn form(family: &str) -> Value {
    json!({
        "kind": "RESIDENCY_KIND_FROM_OTHER_COMUNE",
        "channel": "CHANNEL_COUNTER",
        "form": {
            "ministry_form": true,
            "address": { "street": "Vicolo Quarantottesimo 7", "postcode": "40100",
                         "municipality": "Collina", "province": "BO" },
            "title": "OCCUPATION_TITLE_LEASE",
            "title_details": "locazionissima",
            "members": [{
                "person": { "given_name": "Ermenegilda", "family_name": family,
                            "fiscal_code": CODE, "contact": "zanz@posta.example",
                            "birth_date": { "year": 1980, "month": 1, "day": 1 } },
                "account": "citizen.p77",
                "signed": true, "identity_copy": true, "origin": "Valle",
            }],
        },
    })
}

pub(crate) fn files(directory: &Path, into: &mut Vec<std::path::PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, into)? } else { into.push(path) }
    }
    Ok(())
}

/// Which of the marks are in these bytes, in any writing of theirs.
fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    MARKS.iter().copied().filter(|mark| is_in(bytes, mark)).collect()
}

/// Whether a mark is in these bytes: as it is, in other letters, in UTF-16, escaped as JSON may, or
/// within something in base64 at whichever place.
pub(crate) fn is_in(bytes: &[u8], mark: &str) -> bool {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    if text.contains(&mark.to_lowercase()) {
        return true;
    }
    let units: Vec<u16> = mark.encode_utf16().collect();
    let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let mut needles: Vec<Vec<u8>> = vec![
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
    ];
    for shift in 0..3 {
        let mut plain = vec![0; shift];
        plain.extend_from_slice(mark.as_bytes());
        for text in [STANDARD_NO_PAD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
            // The letters at the edges depend on what stands beside.
            let inner = text.get([0, 2, 3][shift]..text.len() - 1).unwrap_or_default();
            needles.push(inner.as_bytes().to_vec());
        }
    }
    text.contains(&escaped)
        || needles.iter().any(|needle| memchr::memmem::find(bytes, needle).is_some())
}

#[test]
fn a_mark_is_found_in_every_writing_of_it() {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    let mark = "Zanzottera";
    let utf16: Vec<u8> = "x Zanzottera".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let escaped: String = mark.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{mark}: something");
        assert!(is_in(STANDARD.encode(&text).as_bytes(), mark), "{before}");
        assert!(is_in(URL_SAFE_NO_PAD.encode(&text).as_bytes(), mark), "{before}");
    }
    assert!(is_in(&utf16, mark) && is_in(escaped.as_bytes(), mark) && is_in(b"ZANZOTTERA", mark));
    assert!(!is_in(b"Zanzotto, and nothing else of it", mark));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_tell_the_town_is_in_no_file_no_log_line_and_no_error() -> Test {
    let lines = lines();
    let server = Server::start().await?;
    let mut town = server.town();
    let mut accepted = 0;
    let mut errors = String::new();
    let case = town.file(CLERK, form("Zanzottera")).await.map_err(fault)?;
    let second = town.file(CLERK, form("Zanzottera")).await.map_err(fault)?;
    let party = json!({
        "role": "PARTY_ROLE_INTERVENER", "person": { "given_name": "Tizianissimo",
        "family_name": "Zanzottera" } });
    let request = json!({ "kind": "REQUEST_KIND_ADDITIONS", "text": "richiestissima",
        "answer_within": { "count": 20, "unit": "TERM_UNIT_DAYS" } });
    let visit = json!({ "visit_time": "2026-03-02T07:30:00Z", "outcome": "VISIT_OUTCOME_ABSENT",
        "report": "visitissima" });
    let notice = json!({ "reasons": ["motivazionissima"], "mode": "DELIVERY_MODE_PEC" });
    let steps: Vec<(Who, &str, &str, Value)> = vec![
        (OFFICER, &case, "residency.register", json!({})),
        (CLERK, &case, "case.add_party", party),
        (CLERK, &case, "case.add_note", json!({ "text": "annotazionissima" })),
        (
            CLERK,
            &case,
            "case.send_message",
            json!({ "text": "messaggissimo", "direction": "DIRECTION_OUTGOING" }),
        ),
        (
            CITIZEN,
            &case,
            "case.send_message",
            json!({ "text": "messaggissimo", "direction": "DIRECTION_INCOMING" }),
        ),
        (
            HEAD,
            &case,
            "case.assign",
            json!({ "office": "anagrafe", "officer": "anna", "reason": "assegnatissima" }),
        ),
        (
            OFFICER,
            &case,
            "case.propose",
            json!({ "tenor": "TENOR_NEGATIVE", "reasons": "proponentissima" }),
        ),
        (OFFICER, &case, "case.withdraw_proposal", json!({ "reason": "proponentissima" })),
        (
            OTHER,
            &case,
            "case.declare_conflict",
            json!({ "officer": "bruno", "reason": "astensionissima" }),
        ),
        (CLERK, &case, "case.send_request", request),
        (CLERK, &case, "residency.record_visit", visit),
        (OFFICER, &case, "case.send_notice", notice),
        (CLERK, &case, "case.record_notice_receipt", json!({ "mode": "DELIVERY_MODE_PEC" })),
        (CITIZEN, &case, "case.file_observations", json!({ "text": "osservazionissima" })),
        (OFFICER, &case, "residency.confirm", json!({ "reasons": "motivazionissima" })),
        (
            HEAD,
            &case,
            "case.reopen",
            json!({ "ground": "REOPENING_GROUND_JUDICIAL_ANNULMENT",
            "reference": "TAR 12/2026" }),
        ),
        (CITIZEN, &second, "case.withdraw", json!({ "reason": "rinunciatissima" })),
    ];
    for (who, case, command, content) in steps {
        match town.act(who, case, command, content).await {
            Ok(_) => accepted += 1,
            Err(failure) => errors.push_str(&format!("{command}: {failure:?}\n")),
        }
    }
    assert!(accepted >= 15, "too few commands took: {errors}");
    let opened = json!({ "request_id": uuid::Uuid::new_v4(), "kind": "RESIDENCY_KIND_UNTRACEABLE",
        "person": { "given_name": "Tizianissimo", "family_name": "Zanzottera" },
        "address": { "street": "Via Indirizzissimo 1", "municipality": "Collina" },
        "fact_date": { "year": 2025, "month": 2, "day": 10 }, "grounds": "motivazionissima" });
    let method = "pratica.residency.v1.ResidencyService/OpenExOfficio";
    town.call(HEAD, method, opened).await.map_err(fault)?;
    let document = json!({ "request_id": uuid::Uuid::new_v4(), "direction": "DIRECTION_INCOMING",
        "correspondent": "correspondissimo", "object": "tender", "document": {
            "kind": "offer", "media_type": "application/pdf", "size_bytes": 10,
            "sha256": "ab".repeat(32) } });
    let method = "pratica.register.v1.RegisterService/RegisterDocument";
    town.call(REGISTRAR, method, document).await.map_err(fault)?;

    // Everything is read, too: whatever a query writes down would be found below.
    let cases = "pratica.cases.v1.CasesService";
    for query in ["Zanzottera", "zanzo", CODE, "Vicolo Quarantottesimo 7"] {
        let asked = json!({ "query": query });
        let answer = town.call(OFFICER, &format!("{cases}/SearchCases"), asked).await;
        let answer = answer.map_err(fault)?;
        let rows = answer["cases"].as_array().map_or(0, Vec::len);
        assert!(rows >= 2, "{query} finds {answer}");
        let whole = answer.to_string();
        assert!(whole.contains("Zanzottera Ermenegilda"), "opened in the answer: {whole}");
    }
    let seen = town.case(OFFICER, &case).await.map_err(fault)?;
    assert!(seen.to_string().contains("Zanzottera"), "who may see it sees it: {seen}");

    // Refused in many ways, with the same words.
    for command in ["residency.complete", "case.reopen", "case.extend_term", "case.link"] {
        let content = json!({ "reason": "motivazionissima", "form": form("Zanzottera")["form"] });
        if let Err(failure) = town.act(OFFICER, &second, command, content).await {
            errors.push_str(&format!("{failure:?}\n"));
        }
    }
    let mut wrong = form("Zanzottera");
    wrong["form"]["members"][0]["person"]["fiscal_code"] = json!("RSSMRA80A01H501X");
    wrong["request_id"] = json!("Zanzottera");
    let method = "pratica.residency.v1.ResidencyService/FileDeclaration";
    errors.push_str(&format!("{:?}", town.call(CLERK, method, wrong).await));
    assert_eq!(found_in(errors.as_bytes()), Vec::<&str>::new(), "{errors}");

    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    let head = open.town.log.head().await?;
    open.town.wait_for_views(head).await?;
    let backup = server.directory().join("backup.db");
    open.embedded.backup_to(&backup).await?;
    let mut all = Vec::new();
    files(server.directory(), &mut all)?;
    for name in ["log.db", "log.db-wal", "views.db", "keys.db", "desk.db", "backup.db"] {
        let there = all.iter().any(|p| p.file_name().is_some_and(|n| n == name));
        assert!(there, "{name} is not among {all:?}");
    }
    for path in &all {
        let found = found_in(&std::fs::read(path)?);
        assert_eq!(found, Vec::<&str>::new(), "in {}", path.display());
        let name = path.to_string_lossy().into_owned();
        assert_eq!(found_in(name.as_bytes()), Vec::<&str>::new(), "in the name of a file");
    }
    let token = town.token("anna", Role::Officer).map_err(fault)?;
    let said = lines.lock().map(|said| said.clone()).unwrap_or_default();
    assert_eq!(found_in(&said), Vec::<&str>::new(), "in the log's lines");
    let signature = token.rsplit('.').next().unwrap_or_default().to_owned();
    assert!(!String::from_utf8_lossy(&said).contains(&signature), "a token in the log's lines");
    server.stop().await
}
