//! A due date explains itself, and a term can be asked about a day.

use pratica_domain::term::{
    Calendar, ClockEntry, ClockOperation, Length, Reckoning, StepKind, TermClock, notice_window,
};

use crate::support::{day, italy};

fn entry(event: u64, operation: ClockOperation) -> ClockEntry {
    let event_type = format!("residency.event_{event}");
    ClockEntry { operation, event, event_type, basis: format!("article {event}") }
}

fn checks_with_a_notice() -> Reckoning {
    let start = entry(0, ClockOperation::Start { on: day("2026-01-15") });
    let mut clock = TermClock::new("residency.checks".into(), start);
    let (key, on) = ("notice".to_owned(), day("2026-02-14"));
    clock.push(entry(4, ClockOperation::Suspend { key: key.clone(), on, cap_days: None }));
    clock.push(entry(6, ClockOperation::Resume { key, on: day("2026-03-07") }));
    clock.reckon(&italy(), &Calendar::national()).unwrap()
}

#[test]
fn each_step_names_its_event_and_its_article() {
    let reckoning = checks_with_a_notice();
    assert_eq!(reckoning.end, Some(day("2026-03-23")));
    assert_eq!(reckoning.rules_version, "italy-2026");
    let told: Vec<_> = reckoning
        .steps
        .iter()
        .map(|step| (step.event, step.article.as_deref().unwrap_or_default()))
        .collect();
    let article = "DPR 223/1989 art. 18-bis c.1; L. 241/1990 art. 20";
    let expected = [
        (Some(0), "article 0"),
        (None, article),
        (Some(4), "article 4"),
        (Some(6), "article 6"),
        (None, "c.c. art. 2963 c.3"),
    ];
    assert_eq!(told, expected);
    let StepKind::Resumed { residual, to, .. } = &reckoning.steps[3].kind else {
        panic!("not a resumption: {:?}", reckoning.steps[3])
    };
    assert_eq!((*residual, *to), (Length::days(15), day("2026-03-22")));
    let StepKind::Rolled { over, .. } = &reckoning.steps[4].kind else {
        panic!("not a roll: {:?}", reckoning.steps[4])
    };
    assert_eq!((over.len(), over[0].name.as_str()), (1, "domenica"));
}

#[test]
fn an_explanation_is_data_that_others_can_read() {
    let json = serde_json::to_value(checks_with_a_notice()).unwrap();
    assert_eq!(json["status"], "running");
    assert_eq!(json["end"], "2026-03-23");
    assert_eq!(json["steps"][2]["step"], "suspended");
    assert_eq!(json["steps"][2]["residual"], "15d");
    assert_eq!(json["steps"][2]["event_type"], "residency.event_4");
}

#[test]
fn a_day_can_be_asked_whether_the_clock_stands_and_the_term_is_over() {
    let reckoning = checks_with_a_notice();
    let paused = ["2026-02-14", "2026-02-15", "2026-03-07", "2026-03-08"]
        .map(|text| reckoning.is_paused_on(day(text)));
    assert_eq!(paused, [false, true, true, false]);
    assert!(reckoning.is_in_time_on(day("2026-03-23")));
    assert!(!reckoning.has_run_out_on(day("2026-03-23")));
    assert!(reckoning.has_run_out_on(day("2026-03-24")));
    assert_eq!(reckoning.runs_out_at(), Some("2026-03-23T23:00:00Z".parse().unwrap()));
}

#[test]
fn the_clock_runs_on_ten_days_after_the_observations_or_when_the_window_closes() {
    let calendar = Calendar::national();
    let window = |filed: Option<&str>| {
        notice_window(day("2026-03-27"), filed.map(day), Length::days(10), &calendar).unwrap()
    };
    // The tenth day is Easter Monday: the window closes on Tuesday 7 April.
    let silent = window(None);
    assert_eq!((silent.closes_on, silent.resumes_on), (day("2026-04-07"), day("2026-04-07")));
    let filed = window(Some("2026-04-02"));
    assert_eq!((filed.observations_in_time, filed.resumes_on), (Some(true), day("2026-04-12")));
    let last_day = window(Some("2026-04-07"));
    assert_eq!(last_day.resumes_on, day("2026-04-17"));
    let late = window(Some("2026-04-08"));
    assert_eq!((late.observations_in_time, late.resumes_on), (Some(false), day("2026-04-07")));
}
