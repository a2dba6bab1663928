//! What an import refuses: with the line and the rule, and nothing left behind.

use crate::import::{MAPPING, Place, event, import, log, packed, trace};
use pratica_api::import::{self as lib, ImportError};
use pratica_store::{EventReader, Position};

const AT: &str = "2014-04-11T00:00:00+02:00";

/// Refuses the file at this line, for this reason, and leaves the log as it was.
async fn refuses(content: impl AsRef<[u8]>, line: u64, reason: &str) {
    let place = Place::new();
    let (plan, store) = (place.plan(MAPPING), place.open());
    let good = trace("good", &event("file", AT, ""));
    import(&plan, &place.file("good.xes", log(&good)), store.clone()).await.unwrap();
    let before = store.head().await.unwrap();
    assert!(before > Position::START);
    let error = import(&plan, &place.file("bad.xes", content), store.clone()).await.unwrap_err();
    let ImportError::Refused { fault, .. } = &error else { panic!("{error}") };
    assert_eq!(fault.line, line, "{error}");
    assert!(fault.problem.contains(reason), "{error}");
    assert!(!fault.help.is_empty());
    assert!(error.to_string().contains("bad.xes"));
    assert_eq!(store.head().await.unwrap(), before);
}

#[tokio::test]
async fn a_trace_without_a_name() {
    refuses(log(&format!("<trace>\n{}</trace>\n", event("a", AT, ""))), 3, "no concept:name").await;
}

#[tokio::test]
async fn a_case_given_twice() {
    let twice = trace("1", &event("a", AT, "")) + &trace("1", &event("b", AT, ""));
    refuses(log(&twice), 10, "given on line 3").await;
}

#[tokio::test]
async fn an_event_without_an_activity_or_a_time() {
    let bare = format!("<event>\n<date key=\"time:timestamp\" value=\"{AT}\"/>\n</event>\n");
    refuses(log(&trace("1", &bare)), 5, "no concept:name").await;
    let bare = "<event>\n<string key=\"concept:name\" value=\"a\"/>\n</event>\n";
    refuses(log(&trace("1", bare)), 5, "no time:timestamp").await;
}

#[tokio::test]
async fn a_time_without_a_zone_unless_the_mapping_names_one() {
    let text = log(&trace("1", &event("a", "2014-07-11T09:00:00", "")));
    refuses(&text, 5, "no zone").await;
    let place = Place::new();
    let plan = place.plan(&format!("zone = \"Europe/Amsterdam\"\n{MAPPING}"));
    let store = place.open();
    import(&plan, &place.file("a.xes", &text), store.clone()).await.unwrap();
    let events = crate::import::events(&store, &plan, "1").await;
    assert_eq!(events[0].occurred_at, "2014-07-11T07:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn broken_xml_at_its_line() {
    let good = trace("1", &event("a", AT, ""));
    refuses(log(&good).replace("</trace>", "</tarce>"), 9, "not well-formed").await;
    refuses(log(&good).replace("</log>", ""), 11, "ends before </log>").await;
    refuses(log(&good).replace("value=\"a\"", "value=\"a"), 6, "not well-formed").await;
    refuses(log(&good).replace("value=\"a\"", "value=\"&boom;\""), 6, "entity").await;
    refuses(format!("{}<log/>", log(&good)), 11, "after </log>").await;
    refuses("<html/>", 1, "not with <log>").await;
    refuses("", 1, "no <log>").await;
    refuses(b"\x00\x01\x02 nonsense".as_slice(), 1, "text between").await;
    refuses(log(&good).replace("UTF-8", "ISO-8859-1"), 1, "ISO-8859-1").await;
    let latin: Vec<u8> = log(&good).replace("value=\"a\"", "value=\"~\"").into_bytes();
    let latin: Vec<u8> = latin.into_iter().map(|b| if b == b'~' { 0xe9 } else { b }).collect();
    refuses(latin, 6, "not UTF-8").await;
}

#[tokio::test]
async fn a_packed_file_that_was_cut_off() {
    let lots: String = (0..500)
        .map(|n| trace(&format!("{n}"), &event(&format!("a{}", n * 7919 % 997), AT, "")))
        .collect();
    let whole = packed(&log(&lots));
    let cut = &whole[..whole.len() / 2];
    let place = Place::new();
    let plan = place.plan(MAPPING);
    let error = lib::check(&plan, &place.file("cut.xes.gz", cut), &()).unwrap_err();
    let ImportError::Refused { fault, .. } = &error else { panic!("{error}") };
    assert!(fault.line > 3 && fault.problem.contains("too early"), "{error}");
}

#[tokio::test]
async fn what_would_be_lost() {
    let twice =
        event("a", AT, "<string key=\"k\" value=\"1\"/>\n<string key=\"k\" value=\"2\"/>\n");
    refuses(log(&trace("1", &twice)), 9, "k is given twice").await;
    let extra = event("a", AT, "<string key=\"k\" value=\"1\" note=\"n\"/>\n");
    refuses(log(&trace("1", &extra)), 8, "XML attribute note").await;
    refuses(log(&event("a", AT, "")), 3, "belongs to no case").await;
    refuses(log(&trace("1", "text\n")), 4, "text between").await;
    let number = event("a", AT, "<int key=\"k\" value=\"1.5\"/>\n");
    refuses(log(&trace("1", &number)), 8, "not of type int").await;
}

#[tokio::test]
async fn what_the_log_cannot_hold() {
    let huge = format!("<string key=\"k\" value=\"{}\"/>\n", "x".repeat(1_100_000));
    refuses(log(&trace("1", &event("a", AT, &huge))), 5, "bytes").await;
    let endless = format!("<string key=\"k\" value=\"{}\"/>\n", "x".repeat(20_000_000));
    refuses(log(&trace("1", &event("a", AT, &endless))), 8, "longer than 16 MiB").await;
    refuses(log(&trace("1", &event("a", "1066-10-14T09:00:00Z", ""))), 5, "out of range").await;
}

#[test]
fn what_is_not_a_file() {
    let place = Place::new();
    let plan = place.plan(MAPPING);
    let error = lib::check(&plan, place.dir.path(), &()).unwrap_err();
    assert!(matches!(error, ImportError::NotAFile { .. }), "{error}");
    let error = lib::check(&plan, &place.dir.path().join("none"), &()).unwrap_err();
    assert!(matches!(error, ImportError::Open { .. }), "{error}");
}
