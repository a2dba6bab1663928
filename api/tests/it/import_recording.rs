//! What an import records: every event once, in order, with its original date.

use crate::import::{
    MAPPING, Place, event, events, import, log, many, opened, packed, payload, trace, types,
};
use pratica_domain::Event;
use pratica_domain::case;
use pratica_store::{
    AppendRequest, Appended, Direction, EventAppender, EventReader, Filter, Fut, Page, Position,
    RecordedEvent, RequestRecord, Revision, SqliteLog, StoreError, StreamName, codec,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use uuid::Uuid;

fn story() -> String {
    let rest = [
        "<date key=\"end\" value=\"2014-05-01T00:00:00+02:00\"/>\n",
        "<string key=\"how\" value=\"given\"/>\n",
        "<float key=\"fee\" value=\"157.09305\"><string key=\"paid\" value=\"no\"/></float>\n",
        "<list key=\"parts\"><values><string key=\"p\" value=\"a\"/>\
         <string key=\"p\" value=\"b\"/></values></list>\n",
        &event("file", "2014-04-11T00:00:00+02:00", ""),
        &event("look", "2014-04-14T00:00:00+02:00", "<string key=\"org:resource\" value=\"r1\"/>"),
        &event("ask", "2014-04-14T00:00:00+02:00", "<string key=\"x\" value=\"Q &amp; A\"/>"),
        &event("ask", "2014-04-14T00:00:00+02:00", ""),
        &event(
            "answer",
            "2014-04-22T09:00:00+02:00",
            "<string key=\"received\" value=\"18-4-2014\"/>",
        ),
        &event("decide", "2014-04-23T09:00:00+02:00", "<string key=\"sure\" value=\"no\"/>"),
        &event("decide", "2014-04-24T09:00:00+02:00", "<string key=\"sure\" value=\"yes\"/>"),
        &event("object", "2014-06-01T09:00:00+02:00", ""),
    ];
    log(&trace("10009138", &rest.concat()))
}

#[tokio::test]
async fn known_activities_become_domain_events_and_all_others_steps_in_the_order_of_the_file() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let report = import(&plan, &place.file("a.xes", story()), store.clone()).await.unwrap();
    assert_eq!(report.file.tally.source_events, 8);
    assert!(report.equal);
    let events = events(&store, &plan, "10009138").await;
    assert_eq!(
        types(&events),
        [
            "case.opened",
            "imported.taken_over",
            "imported.term_set",
            "imported.step_recorded",
            "case.request_sent",
            "imported.step_recorded",
            "case.request_answered",
            "imported.step_recorded",
            "imported.decided",
            "imported.closed",
            "imported.step_recorded",
        ]
    );
    let carried: Vec<u64> =
        events.iter().filter_map(|e| payload(e)["source"]["index"].as_u64()).collect();
    assert_eq!(carried, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(report.file.not_admitted.get("ask"), Some(&1), "one request was open already");
    let dates: Vec<_> = events.iter().map(|e| e.occurred_at).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    assert_eq!(dates[10], "2014-06-01T07:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn nothing_that_the_file_says_of_a_case_or_an_event_is_lost() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    import(&plan, &place.file("a.xes", story()), store.clone()).await.unwrap();
    let events = events(&store, &plan, "10009138").await;
    let whole = payload(&events[1]);
    assert_eq!(whole["source_events"], 8);
    assert_eq!(whole["attributes"]["fee"], "157.09305");
    assert_eq!(whole["attributes"]["fee/paid"], "no");
    assert_eq!(whole["attributes"]["parts/0/p"], "a");
    assert_eq!(whole["attributes"]["parts/1/p"], "b");
    assert_eq!(whole["types"]["fee"], "float");
    let step = payload(&events[3]);
    assert_eq!((&step["activity"], &step["resource"]), (&"look".into(), &"r1".into()));
    assert_eq!(step["attributes"]["time:timestamp"], "2014-04-14T00:00:00+02:00");
    let asked = payload(&events[4]);
    assert_eq!(asked["source"]["activity"], "ask");
    assert_eq!(asked["source"]["attributes"]["x"], "Q & A");
    let Event::Case(case::Event::RequestAnswered(answered)) = codec::decode(&events[6]).unwrap()
    else {
        panic!("not an answer");
    };
    assert_eq!(
        answered.answered_on,
        "2014-04-18".parse().unwrap(),
        "the legal day is the one given"
    );
    assert_eq!(events[6].occurred_at, "2014-04-22T07:00:00Z".parse().unwrap());
    let metadata = events[4].metadata().unwrap();
    assert_eq!((metadata.actor.as_str(), metadata.role.as_str()), ("import", "system"));
    assert_eq!(events[4].recorded_at, "2026-02-03T10:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn personal_attributes_lie_in_their_container_alone() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let name = "<string key=\"applicant\" value=\"Ada Rossi\"/>";
    let at = "2014-04-11T00:00:00+02:00";
    let text = log(&trace("1", &format!("{name}{}", event("look", at, name))));
    import(&plan, &place.file("a.xes", text), store.clone()).await.unwrap();
    let events = events(&store, &plan, "1").await;
    for event in &events {
        assert!(!String::from_utf8_lossy(&event.payload).contains("Ada"), "sealed in the log");
    }
    let of_case = opened(&events[1]);
    assert_eq!(of_case["personal"]["applicant"]["value"], "Ada Rossi");
    assert_eq!(of_case["attributes"].get("applicant"), None);
    let of_event = opened(&events[3]);
    assert_eq!(of_event["source"]["personal"]["applicant"]["value"], "Ada Rossi");
    assert_eq!(of_event["attributes"].get("applicant"), None);
}

#[tokio::test]
async fn events_of_one_moment_keep_the_order_of_the_file() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let names: Vec<String> = (0..40).map(|n| format!("step {}", (n * 7) % 40)).collect();
    let all: String = names.iter().map(|n| event(n, "2014-04-11T00:00:00+02:00", "")).collect();
    import(&plan, &place.file("a.xes", log(&trace("1", &all))), store.clone()).await.unwrap();
    let events = events(&store, &plan, "1").await;
    let steps: Vec<String> = events
        .iter()
        .map(payload)
        .filter_map(|p| p["activity"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(steps, names);
}

#[tokio::test]
async fn an_unknown_lifecycle_transition_makes_a_step_of_a_known_activity() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let of = |word: &str| format!("<string key=\"lifecycle:transition\" value=\"{word}\"/>");
    let at = "2014-04-11T00:00:00+02:00";
    let rest = [
        event("ask", at, &of("start")),
        event("ask", at, &of("blub")),
        event("ask", at, &of("COMPLETE")),
    ];
    import(&plan, &place.file("a.xes", log(&trace("1", &rest.concat()))), store.clone())
        .await
        .unwrap();
    let events = events(&store, &plan, "1").await;
    assert_eq!(
        types(&events)[3..],
        ["imported.step_recorded", "imported.step_recorded", "case.request_sent"]
    );
}

#[tokio::test]
async fn the_same_file_again_adds_nothing_packed_or_not() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let first = import(&plan, &place.file("a.xes", story()), store.clone()).await.unwrap();
    let head = store.head().await.unwrap();
    assert_eq!((first.new, first.same), (1, 0));
    let again =
        import(&plan, &place.file("b.xes.gz", packed(&story())), store.clone()).await.unwrap();
    assert_eq!((again.new, again.same, again.other), (0, 1, 0));
    assert!(again.equal);
    assert_eq!(store.head().await.unwrap(), head);
}

#[tokio::test]
async fn a_changed_history_is_reported_and_the_recorded_one_stays() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let at = "2014-04-11T00:00:00+02:00";
    let two =
        |word: &str| log(&(trace("1", &event("a", at, "")) + &trace("2", &event(word, at, ""))));
    import(&plan, &place.file("a.xes", two("b")), store.clone()).await.unwrap();
    let head = store.head().await.unwrap();
    let report = import(&plan, &place.file("a.xes", two("changed")), store.clone()).await.unwrap();
    assert_eq!((report.new, report.same, report.other), (0, 1, 1));
    assert!(!report.equal);
    assert_eq!(report.differing[0].reference, "2");
    assert!(report.differing[0].because.contains("history in the file"));
    assert_eq!(store.head().await.unwrap(), head);

    let other = place.plan(&format!("{MAPPING}\n# another text\n"));
    let report = import(&other, &place.file("a.xes", two("b")), store.clone()).await.unwrap();
    assert_eq!(report.other, 2);
    assert!(report.differing[0].because.contains("another mapping"));
    assert_eq!(store.head().await.unwrap(), head);
}

#[tokio::test]
async fn a_case_larger_than_one_append_is_recorded_whole_and_once() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let long = format!("<string key=\"note\" value=\"{}\"/>", "x".repeat(300_000));
    let at = "2014-04-11T00:00:00+02:00";
    let few: String = (0..9).map(|n| event(&format!("s{n}"), at, &long)).collect();
    let lots: String = (0..2300).map(|n| event(&format!("s{n}"), at, "")).collect();
    let file = place.file("a.xes", log(&(trace("long", &few) + &trace("many", &lots))));
    let report = import(&plan, &file, store.clone()).await.unwrap();
    assert!(report.equal);
    assert_eq!(report.log.tally.source_events, 2309);
    let again = import(&plan, &file, store.clone()).await.unwrap();
    assert_eq!((again.new, again.same), (0, 2));
}

#[tokio::test]
async fn an_import_that_was_cut_off_is_completed_by_the_next_without_doubling() {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let lots: String =
        (0..2300).map(|n| event(&format!("s{n}"), "2014-04-11T00:00:00+02:00", "")).collect();
    let text = many(60).replace("</log>", &format!("{}</log>", trace("large", &lots)));
    let file = place.file("a.xes", text);
    for after in [0, 1, 17, 61, 62] {
        let failing = Arc::new(Failing { inner: store.clone(), left: AtomicUsize::new(after) });
        import(&plan, &file, failing).await.unwrap_err();
    }
    let report = import(&plan, &file, store.clone()).await.unwrap();
    assert!(report.equal);
    assert_eq!(report.log.tally.cases, 61);
    assert_eq!(report.log.tally.source_events, 2360);
    store.verify().await.unwrap();
}

/// A log whose appends fail after some.
struct Failing {
    inner: Arc<SqliteLog>,
    left: AtomicUsize,
}

impl EventAppender for Failing {
    fn append(&self, request: AppendRequest) -> Fut<'_, Appended> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if left.is_err() {
            return Box::pin(async {
                Err(StoreError::Unavailable {
                    doing: "appending",
                    source: std::io::Error::other("killed").into(),
                })
            });
        }
        self.inner.append(request)
    }
}

impl EventReader for Failing {
    fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        direction: Direction,
        max: usize,
    ) -> Fut<'_, Vec<RecordedEvent>> {
        self.inner.read_stream(stream, from, direction, max)
    }
    fn read_all(&self, from: Position, way: Direction, only: &Filter, max: usize) -> Fut<'_, Page> {
        self.inner.read_all(from, way, only, max)
    }
    fn head(&self) -> Fut<'_, Position> {
        self.inner.head()
    }
    fn stream_revision(&self, stream: &StreamName) -> Fut<'_, Option<Revision>> {
        self.inner.stream_revision(stream)
    }
    fn watch_head(&self) -> tokio::sync::watch::Receiver<Position> {
        self.inner.watch_head()
    }
    fn find_request(&self, id: Uuid) -> Fut<'_, Option<RequestRecord>> {
        self.inner.find_request(id)
    }
}
