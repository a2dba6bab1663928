//! Building the views again while they serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pratica_projections::{Access, CaseFilter, PageRequest, ViewError, Views, ViewsOptions};
use pratica_store::{EventReader, Position};

use crate::town::{Dice, Place, caught_up, grow, open, place, random_town, rules, vault};

fn files(place: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            name.starts_with("views") && !name.contains("-wal") && !name.contains("-shm")
        })
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_go_on_during_rebuilds_and_never_see_less_than_before() {
    let town = random_town(13, 400).await;
    let Place { dir, views, projector } = caught_up(&town).await;
    let head = town.log.head().await.unwrap();
    let expected = views.content_digest().await.unwrap().value;
    let done = Arc::new(AtomicBool::new(false));
    let asker = {
        let (views, done) = (views.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut asked = 0;
            while !done.load(Ordering::Acquire) {
                let (filter, page) = (CaseFilter::default(), PageRequest::first(20));
                let answer = views.list_cases(&Access::Everything, &filter, &page).await.unwrap();
                assert_eq!((answer.position, answer.value.rows.len()), (head, 20));
                asked += 1;
                tokio::task::yield_now().await;
            }
            asked
        })
    };
    for _ in 0..5 {
        let mut progress = Vec::new();
        let rebuilt = views
            .rebuild(town.reader(), &rules(), |at, head| progress.push((at, head)))
            .await
            .unwrap();
        assert_eq!((views.content_digest().await.unwrap().value, rebuilt), (expected, head));
        assert_eq!(progress.last(), Some(&(head, head)));
    }
    done.store(true, Ordering::Release);
    assert!(asker.await.unwrap() > 0);
    assert_eq!(files(&dir), ["views.db.5"]);
    drop((views, projector));
    let (views, projector) = open(&dir);
    assert_eq!(files(&dir), ["views.db"]);
    assert_eq!(views.position(), head);
    assert_eq!(views.content_digest().await.unwrap().value, expected);
    drop(projector);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_beside_a_running_projector_loses_nothing() {
    let mut town = random_town(14, 300).await;
    let Place { dir: _dir, views, mut projector } = place();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let reader = town.reader();
    let runner = tokio::spawn(async move {
        let ended = projector
            .run(reader, rules(), async {
                stopped.await.unwrap();
            })
            .await;
        (ended, projector)
    });
    let mut dice = Dice(14);
    for _ in 0..4 {
        let rebuilding = {
            let (views, reader) = (views.clone(), town.reader());
            tokio::spawn(async move { views.rebuild(reader, &rules(), |_, _| {}).await })
        };
        grow(&mut town, &mut dice, 100).await;
        rebuilding.await.unwrap().unwrap();
    }
    let head = town.log.head().await.unwrap();
    while views.position() < head {
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    let (ended, projector) = runner.await.unwrap();
    ended.unwrap();
    assert_eq!(projector.position(), head);
    let fresh = caught_up(&town).await;
    assert_eq!(views.content_digest().await.unwrap(), fresh.views.content_digest().await.unwrap());
    assert_eq!(views.status().await.unwrap(), fresh.views.status().await.unwrap());
}

#[tokio::test]
async fn a_rebuild_that_fails_leaves_the_old_views_serving() {
    let town = random_town(15, 100).await;
    let Place { dir, views, projector: _projector } = caught_up(&town).await;
    let expected = views.content_digest().await.unwrap();
    let mut unknown = (*rules()).clone();
    unknown.book = pratica_domain::term::RuleBook::new();
    let error = views.rebuild(town.reader(), &unknown, |_, _| {}).await.unwrap_err();
    assert!(matches!(error, ViewError::Terms { .. }), "{error}");
    assert_eq!(views.content_digest().await.unwrap(), expected);
    assert_eq!(files(&dir), ["views.db"]);
    views.rebuild(town.reader(), &rules(), |_, _| {}).await.unwrap();
}

#[tokio::test]
async fn views_of_another_version_are_built_again_and_a_strangers_file_is_refused() {
    let town = random_town(16, 100).await;
    let Place { dir, views, projector } = caught_up(&town).await;
    let expected = views.content_digest().await.unwrap();
    drop((views, projector));
    let path = dir.path().join("views.db");
    let c = rusqlite::Connection::open(&path).unwrap();
    c.execute_batch("PRAGMA user_version = 9999; DROP TABLE cases; CREATE TABLE newer(x);")
        .unwrap();
    drop(c);
    let (views, mut projector) = open(&dir);
    assert_eq!(views.position(), Position::START);
    projector.catch_up(town.reader(), &rules()).await.unwrap();
    assert_eq!(views.content_digest().await.unwrap(), expected);
    drop((views, projector));
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(dir.path().join(format!("views.db{end}"))));
    }
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs(x)").unwrap();
    let error = pratica_projections::Views::open(
        &path,
        pratica_projections::ViewsOptions::default(),
        vault(),
    )
    .unwrap_err();
    assert!(matches!(error, ViewError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn a_rebuild_cut_off_by_a_crash_leaves_no_trace() {
    let town = random_town(16, 100).await;
    let Place { dir, views, projector } = caught_up(&town).await;
    let expected = views.content_digest().await.unwrap();
    drop((views, projector));
    std::fs::write(dir.path().join("views.db.new"), b"half").unwrap();
    std::fs::copy(dir.path().join("views.db"), dir.path().join("views.db.3")).unwrap();
    std::fs::copy(dir.path().join("views.db"), dir.path().join("views.db.7")).unwrap();
    let (views, projector) = open(&dir);
    assert_eq!(files(&dir), ["views.db"]);
    assert_eq!(views.content_digest().await.unwrap(), expected);
    drop(projector);
}

/// Writes noise over a page of a closed file, by the name of the table that begins there; over the
/// header for no name.
fn spoil(file: &std::path::Path, table: Option<&str>) {
    let c = rusqlite::Connection::open(file).unwrap();
    let size: u32 = c.query_row("PRAGMA page_size", [], |r| r.get(0)).unwrap();
    let page: u32 = table.map_or(1, |table| {
        let query = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
        c.query_row(query, [table], |r| r.get(0)).unwrap()
    });
    drop(c);
    let mut bytes = std::fs::read(file).unwrap();
    let (from, size) = (((page - 1) * size) as usize, size as usize);
    bytes[from..from + size].fill(0xa5);
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_made_again_from_the_log() {
    let town = random_town(15, 200).await;
    let Place { dir, views, projector } = caught_up(&town).await;
    let (head, expected) = (views.position(), views.content_digest().await.unwrap().value);
    drop((views, projector));
    let file = dir.path().join("views.db");

    // A page that a query meets: it says so, and a rebuild heals.
    spoil(&file, Some("stat_kinds"));
    let (views, projector) = open(&dir);
    let told = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&told);
    views.on_damage(Box::new(move || hears.store(true, Ordering::Release)));
    let error = views.statistics(None, None, None).await.unwrap_err();
    assert!(error.is_damage(), "{error}");
    assert!(told.load(Ordering::Acquire), "who can heal it was told");
    let rebuilt = views.rebuild(town.reader(), &rules(), |_, _| {}).await.unwrap();
    assert_eq!((views.content_digest().await.unwrap().value, rebuilt), (expected, head));
    drop((views, projector));

    // The header: it cannot even be opened, and begins anew.
    drop(open(&dir));
    spoil(&file, None);
    let (views, mut projector) = open(&dir);
    assert_eq!(views.position(), Position::START);
    projector.catch_up(town.reader(), &rules()).await.unwrap();
    assert_eq!(views.content_digest().await.unwrap().value, expected);
}

/// The memory of a process, as a file, answers a read of its beginning with EIO: as a broken disk does.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_the_disk_does_not_give_back_is_made_again_from_the_log() {
    let town = random_town(16, 40).await;
    let Place { dir, views, projector } = caught_up(&town).await;
    let expected = views.content_digest().await.unwrap().value;
    drop((views, projector));
    let file = dir.path().join("views.db");
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap_err().raw_os_error(), Some(5), "EIO");
    let (views, mut projector) = open(&dir);
    assert_eq!(views.position(), Position::START);
    projector.catch_up(town.reader(), &rules()).await.unwrap();
    assert_eq!(views.content_digest().await.unwrap().value, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_may_not_be_opened_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("views.db");
    std::fs::create_dir(&file).unwrap();
    let error = Views::open(&file, ViewsOptions::default(), vault()).unwrap_err();
    assert!(!error.is_damage(), "{error}");
    assert!(file.is_dir());
}
