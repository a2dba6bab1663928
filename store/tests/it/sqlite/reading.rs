//! What a page of the log holds.

use pratica_store::sqlite::Options;
use pratica_store::testing::{append, events};
use pratica_store::{Direction, EventAppender, EventReader, Expected, Filter, Position, SqliteLog};

#[tokio::test]
async fn a_page_ends_at_its_bytes_and_the_next_goes_on_there() {
    let directory = tempfile::tempdir().unwrap();
    let payload = events(0..1)[0].payload.len();
    let options = Options { page_bytes: 3 * payload, ..Options::default() };
    let log = SqliteLog::open(directory.path().join("log.db"), options).unwrap();
    log.append(append("a.b-1", Expected::NoStream, events(0..8))).await.unwrap();
    let only = Filter::prefixes(["a.b-"]);
    for (filter, direction, from) in [
        (Filter::all(), Direction::Forwards, Position::START),
        (only, Direction::Forwards, Position::START),
        (Filter::all(), Direction::Backwards, Position::END),
    ] {
        let (mut at, mut sizes, mut seen) = (from, Vec::new(), Vec::new());
        while seen.len() < 8 {
            let page = log.read_all(at, direction, &filter, 100).await.unwrap();
            sizes.push(page.events.len());
            seen.extend(page.events.iter().map(|event| event.position.get()));
            at = page.next;
        }
        assert_eq!(sizes, [3, 3, 2]);
        if direction == Direction::Backwards {
            seen.reverse();
        }
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8], "each once");
    }
}
