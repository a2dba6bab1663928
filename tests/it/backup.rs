//! Backups taken while a town is served, checked, brought back whole and up to a position.

use pratica_api::app::backup::{self, Restore, Restored};
use pratica_api::demo::{OFFICER, Who, declaration};
use pratica_domain::Role;
use pratica_domain::ids::ComuneId;
use pratica_store::{Direction, Filter, Position};
use pratica_tests::{COMUNE, START, Server, fault};
use serde_json::json;
use std::path::Path;

type Test = anyhow::Result<()>;

/// Sees every office.
const HEAD: Who = Who("direttore", Role::Head);

async fn filed(server: &Server, from: usize, count: usize) -> anyhow::Result<Vec<String>> {
    let mut town = server.town();
    let mut cases = Vec::new();
    for number in from..from + count {
        let form = declaration("Anna", &format!("Rossi{number}"), "CHANGE_OF_DWELLING");
        cases.push(town.file(OFFICER, form).await.map_err(fault)?);
    }
    Ok(cases)
}

/// The content of a served log, and what its views come to when they are built from it.
async fn content(server: &Server) -> anyhow::Result<(Vec<String>, String)> {
    let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
    let reader = std::sync::Arc::clone(&open.town.log);
    let page =
        reader.read_all(Position::START, Direction::Forwards, &Filter::all(), 10_000).await?;
    let events = page
        .events
        .iter()
        .map(|e| format!("{} {} {} {}", e.position.get(), e.stream, e.event_type, e.id))
        .collect();
    let views = &open.town.views;
    views.rebuild(reader, &open.town.rules, |_, _| {}).await?;
    Ok((events, views.content_digest().await?.value.to_string()))
}

/// Brings the comune back into `data`; the demonstration's key goes along by hand.
fn restore(from: &Path, data: &Path, key: &Path, until: Option<u64>) -> anyhow::Result<Restored> {
    let manifest = backup::check(from)?;
    let until = until.map(Position::new);
    let restored = Restore { backup: from, data, until, vault: None }
        .comune(&manifest, &COMUNE.parse::<ComuneId>()?)?;
    let put = data.join(COMUNE).join("master.key");
    std::fs::copy(key, &put)?;
    std::fs::set_permissions(&put, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(restored)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_a_town_works_comes_back_whole_and_works_on() -> Test {
    let place = tempfile::tempdir()?;
    let server = Server::start().await?;
    filed(&server, 0, 3).await?;
    let (data, to) = (server.directory().to_owned(), place.path().join("backup"));
    let comuni = vec![COMUNE.parse::<ComuneId>()?];
    let copying = {
        let (data, to) = (data.clone(), to.clone());
        tokio::task::spawn_blocking(move || backup::make(&data, &comuni, &to, START.parse()?))
    };
    filed(&server, 3, 5).await?;
    let manifest = copying.await??;
    let key = data.join(COMUNE).join("master.key");
    assert!(
        !to.join(COMUNE).join("master.key").exists(),
        "the master key is not where the data is"
    );
    assert!(!to.join("server.key").exists(), "nor is the server's own key");
    assert!(!to.join(COMUNE).join("views.db").exists(), "views come from the log");

    let restored_data = place.path().join("restored");
    let restored = restore(&to, &restored_data, &key, None)?;
    let kept = &manifest.comuni[&COMUNE.parse()?];
    assert_eq!((restored.events, restored.left_out), (kept.events, 0));
    assert!(kept.events >= 9, "three cases with their numbers: {}", kept.events);
    let (whole, _) = content(&server).await?;
    server.stop().await?;

    let again = Server::open(&restored_data, &[COMUNE], START).await?;
    let (events, _) = content(&again).await?;
    // What the copy caught half way, such as a number that its case had not heard of, is finished
    // when the town opens again: that may come after.
    let copied = usize::try_from(kept.events)?;
    assert!(events.len() >= copied, "{} of {copied}", events.len());
    assert_eq!(events[..copied], whole[..copied], "the same events at the same places");
    // It works on: a new case gets the next number.
    let case = filed(&again, 8, 1).await?.remove(0);
    let read = again.town().case(OFFICER, &case).await.map_err(fault)?;
    assert!(read.to_string().contains(&case), "{read}");
    again.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_up_to_a_position_holds_what_was_there_then() -> Test {
    let place = tempfile::tempdir()?;
    let server = Server::start().await?;
    filed(&server, 0, 2).await?;
    let (then, digest_then) = content(&server).await?;
    filed(&server, 2, 2).await?;
    let (data, to) = (server.directory().to_owned(), place.path().join("backup"));
    let key = data.join(COMUNE).join("master.key");
    backup::make(&data, &[COMUNE.parse()?], &to, START.parse()?)?;
    let (whole, _) = content(&server).await?;
    server.house.stop().await;

    let restored_data = place.path().join("restored");
    let until = then.len() as u64;
    let restored = restore(&to, &restored_data, &key, Some(until))?;
    assert_eq!((restored.events, restored.left_out), (until, whole.len() as u64 - until));
    let again = Server::open(&restored_data, &[COMUNE], START).await?;
    let (events, digest) = content(&again).await?;
    assert_eq!(events, then);
    assert_eq!(digest, digest_then, "the views are those of then");
    filed(&again, 4, 1).await?;
    again.stop().await?;

    let beyond = restore(&to, &place.path().join("beyond"), &key, Some(whole.len() as u64 + 1));
    let refused = format!("{:#}", beyond.err().ok_or_else(|| anyhow::anyhow!("it was accepted"))?);
    assert!(refused.contains("ends at position"), "{refused}");
    assert!(!place.path().join("beyond").join(COMUNE).exists());
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_over_and_a_damaged_backup_is_refused() -> Test {
    let place = tempfile::tempdir()?;
    let server = Server::start().await?;
    filed(&server, 0, 1).await?;
    let (data, to) = (server.directory().to_owned(), place.path().join("backup"));
    let key = data.join(COMUNE).join("master.key");
    let comuni = [COMUNE.parse::<ComuneId>()?];
    backup::make(&data, &comuni, &to, START.parse()?)?;
    let refused = |done: anyhow::Result<()>| match done {
        Ok(()) => "it was accepted".to_owned(),
        Err(error) => format!("{error:#}"),
    };
    let again = refused(backup::make(&data, &comuni, &to, START.parse()?).map(drop));
    assert!(again.contains("never replaces another"), "{again}");
    let over = refused(restore(&to, &data, &key, None).map(drop));
    assert!(over.contains("never replaces data"), "{over}");

    let log = to.join(COMUNE).join("log.db");
    let mut bytes = std::fs::read(&log)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, bytes)?;
    let damaged = refused(restore(&to, &place.path().join("restored"), &key, None).map(drop));
    assert!(damaged.contains("collina/log.db is not what was backed up"), "{damaged}");
    assert!(!place.path().join("restored").exists());
    server.stop().await
}

/// Towns as earlier versions wrote them, each a backup with the key of the demonstration. They are
/// only ever added: `PRATICA_NEW_FIXTURE=NAME` writes one more.
const FIXTURES: &str = "fixtures";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_town_that_an_earlier_version_wrote_opens_replays_and_works_on() -> Test {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES);
    if let Ok(name) = std::env::var("PRATICA_NEW_FIXTURE") {
        write_fixture(&fixtures.join(name)).await?;
    }
    let mut opened = 0;
    for entry in std::fs::read_dir(&fixtures)? {
        let from = entry?.path();
        let data = tempfile::tempdir()?;
        let restored = restore(&from, data.path(), &from.join("master.key.txt"), None)?;
        let server = Server::open(data.path(), &[COMUNE], START).await?;
        let open = server.house.all().next().ok_or_else(|| anyhow::anyhow!("no comune"))?;
        open.embedded.verify().await?;
        let (events, _) = content(&server).await?;
        assert_eq!(events.len() as u64, restored.events, "{}", from.display());
        let mut town = server.town();
        let mut read = 0;
        for event in events.iter().filter(|e| e.contains("case.opened")) {
            let stream = event.split(' ').nth(1).unwrap_or_default();
            let case = stream.split_once('-').map(|(_, id)| id.to_owned()).unwrap_or_default();
            let shown = town.case(HEAD, &case).await.map_err(fault)?;
            assert!(shown.to_string().contains(&case), "{stream}: {shown}");
            read += 1;
        }
        assert!(read > 2, "{} holds {read} cases", from.display());
        filed(&server, 100, 1).await?;
        server.stop().await?;
        opened += 1;
    }
    assert!(opened > 0, "{} holds no fixture", fixtures.display());
    Ok(())
}

/// Three declarations, of which one became an act, and a permit.
async fn write_fixture(target: &Path) -> anyhow::Result<()> {
    let server = Server::start().await?;
    let cases = filed(&server, 0, 3).await?;
    let mut town = server.town();
    town.act(OFFICER, &cases[0], "residency.register", json!({})).await.map_err(fault)?;
    let data = server.directory().to_owned();
    server.house.stop().await;
    backup::make(&data, &[COMUNE.parse()?], target, START.parse()?)?;
    std::fs::copy(data.join(COMUNE).join("master.key"), target.join("master.key.txt"))?;
    server.stop().await
}
