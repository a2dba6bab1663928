//! What each view says of a small town.

use pratica_domain::case::{self, Direction, PartyRole, RepresentationTitle};
use pratica_domain::ids::ProtocolNumber;
use pratica_domain::{Event, register, residency};
use pratica_projections::{Access, PageRequest, SearchKey};
use pratica_store::{Position, Revision};

use crate::town::{
    Place, Town, added, answered, assigned, case, caught_up, confirmed, day, document, entry,
    expired, noted, notice, party, register_stream, registered, requested, subject,
};

#[tokio::test]
async fn a_row_carries_all_that_a_list_shows() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    town.register(1, 1, "2026-03-02").await;
    town.on(1, "2026-03-03", vec![assigned("anagrafe", Some("anna"))]).await;
    town.on(1, "2026-03-04", vec![registered(day("2026-03-04"), day("2026-03-02"))]).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let row = views.case_row(case(1)).await.unwrap();
    assert_eq!(row.position, Position::new(8));
    let row = row.value.unwrap();
    assert_eq!((row.procedure.as_str(), row.kind.as_str()), ("residency", "from_other_comune"));
    assert_eq!((row.phase.as_str(), row.closed), ("under_check", false));
    assert_eq!((row.filed_on, row.closed_on), (day("2026-03-02"), None));
    assert_eq!((row.office.as_deref(), row.officer.as_deref()), (Some("anagrafe"), Some("anna")));
    assert_eq!((row.revision, row.position), (Revision::new(6), Position::new(8)));
    // Registration is done; the 45 days of the checks end on a Thursday.
    assert_eq!(row.due_on, Some(day("2026-04-16")));
    assert_eq!(row.due_term.as_deref(), Some("residency.checks"));
    assert_eq!(row.protocol, Some(ProtocolNumber { year: 2026, number: 1 }));
    let applicant = row.applicant.unwrap();
    assert!(!applicant.is_readable(), "a view holds what the log holds: sealed");
    let applicant = town.vault.read(&row.stream, applicant).unwrap();
    assert_eq!((applicant.value.name().as_str(), applicant.subject), ("Rossi Mario", subject(1)));
    assert_eq!(row.rules_version, "italy-2026");
    assert_eq!(views.case_row(case(2)).await.unwrap().value, None);
    let stream = views.case_stream(case(1)).await.unwrap().value.unwrap();
    assert_eq!(stream, crate::town::stream(1).as_str());
}

#[tokio::test]
async fn the_next_due_date_follows_the_clocks() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    let mut place = caught_up(&town).await;
    let due = async |town: &Town, place: &mut crate::town::Place| {
        place.projector.catch_up(town.reader(), &crate::town::rules()).await.unwrap();
        let row = place.views.case_row(case(1)).await.unwrap().value.unwrap();
        (row.due_on.map(|d| d.to_string()), row.due_term, row.waits_for_citizen)
    };
    let words =
        |date: &str, term: &str, waits| (Some(date.to_owned()), Some(term.to_owned()), waits);
    assert_eq!(due(&town, &mut place).await, words("2026-03-04", "residency.registration", false));
    // The alert was noted, and the office still has to register: its work stays overdue.
    town.on(1, "2026-03-05", vec![expired("residency.registration", day("2026-03-04"))]).await;
    assert_eq!(due(&town, &mut place).await, words("2026-03-04", "residency.registration", false));
    town.on(1, "2026-03-06", vec![registered(day("2026-03-06"), day("2026-03-02"))]).await;
    assert_eq!(due(&town, &mut place).await, words("2026-04-16", "residency.checks", false));
    // The request suspends the checks: only its own term is left.
    town.on(1, "2026-03-10", vec![requested(70, 1, day("2026-03-10"))]).await;
    let own = format!("case.additions#{}", entry(70));
    assert_eq!(due(&town, &mut place).await, words("2026-04-09", &own, true));
    town.on(1, "2026-03-20", vec![answered(70, day("2026-03-20"))]).await;
    assert_eq!(due(&town, &mut place).await, words("2026-04-27", "residency.checks", false));
    town.on(1, "2026-03-30", vec![confirmed(day("2026-03-30"))]).await;
    assert_eq!(due(&town, &mut place).await, (None, None, false));
}

#[tokio::test]
async fn the_ticker_sees_each_end_once_and_the_next_one() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "").await;
    town.declare(2, "2026-03-03", "Bianchi", "").await;
    let mut place = caught_up(&town).await;
    let views = place.views.clone();
    assert_eq!(views.next_end(day("2026-03-02")).await.unwrap().value, Some(day("2026-03-04")));
    assert_eq!(views.due_terms(day("2026-03-04"), 10).await.unwrap().value, []);
    let due = views.due_terms(day("2026-03-06"), 10).await.unwrap().value;
    let told: Vec<_> = due.iter().map(|d| (d.case, d.term.as_str(), d.end)).collect();
    assert_eq!(
        told,
        [
            (case(1), "residency.registration", day("2026-03-04")),
            (case(2), "residency.registration", day("2026-03-05")),
        ]
    );
    assert_eq!(views.due_terms(day("2026-03-06"), 1).await.unwrap().value.len(), 1);
    town.on(1, "2026-03-05", vec![expired("residency.registration", day("2026-03-04"))]).await;
    place.projector.catch_up(town.reader(), &crate::town::rules()).await.unwrap();
    let due = views.due_terms(day("2026-03-06"), 10).await.unwrap().value;
    assert_eq!(due.iter().map(|d| d.case).collect::<Vec<_>>(), [case(2)]);
    assert_eq!(views.next_end(day("2026-03-02")).await.unwrap().value, Some(day("2026-03-05")));
    // A notice sent stops the clock: there is no end to fire.
    town.on(1, "2026-03-20", vec![notice(9, day("2026-03-20"))]).await;
    place.projector.catch_up(town.reader(), &crate::town::rules()).await.unwrap();
    let due = views.due_terms(day("2027-01-01"), 10).await.unwrap().value;
    assert!(!due.iter().any(|d| d.case == case(1)));
}

#[tokio::test]
async fn a_history_tells_facts_without_persons_and_hides_internals_from_citizens() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    town.register(1, 1, "2026-03-02").await;
    town.on(
        1,
        "2026-03-03",
        vec![
            assigned("anagrafe", Some("anna")),
            noted(5, 1),
            added(6, "draft", Direction::Internal, day("2026-03-03")),
            requested(70, 1, day("2026-03-03")),
        ],
    )
    .await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let all = views.timeline(case(1), true, &PageRequest::first(50)).await.unwrap().value;
    assert_eq!(all.rows.len(), 9);
    assert_eq!(all.rows.iter().filter(|r| r.internal).count(), 2);
    let shown = views.timeline(case(1), false, &PageRequest::first(50)).await.unwrap().value;
    assert_eq!(shown.rows.len(), 7);
    for row in &shown.rows {
        assert!(row.actor.is_empty() && !row.args.contains_key("officer"), "{row:?}");
        assert_eq!(row.role, "clerk");
    }
    let said = format!("{:?}", all.rows);
    for secret in ["Rossi", "Mario", "Segret", "RSSMRA", "1980"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    let numbered = all.rows.iter().find(|r| r.event_type == "case.document_registered").unwrap();
    assert_eq!(numbered.args["number.number"], 1);
    assert_eq!(numbered.args["registered_on"], "2026-03-02");
    let asked = &all.rows[8];
    assert_eq!((asked.revision, asked.actor.as_str()), (Revision::new(8), "clerk.1"));
    assert_eq!(asked.args["clock.term"], "residency.checks");
    let mut seen = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let part = views.timeline(case(1), false, &page).await.unwrap().value;
        seen.extend(part.rows);
        match part.next {
            Some(token) => page.after = Some(token),
            None => break,
        }
    }
    assert_eq!(seen, shown.rows);
}

#[tokio::test]
async fn the_register_lists_by_year_and_day_and_shows_annulments() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    for (n, on) in [(1, "2026-03-02"), (2, "2026-03-02"), (3, "2026-03-03")] {
        if n > 1 {
            town.on(1, on, vec![added(n, "identity_copy", Direction::Incoming, day(on))]).await;
        }
        town.register(1, n, on).await;
    }
    let number = |number| ProtocolNumber { year: 2026, number };
    let annulled = register::Annulled {
        number: number(2),
        reason: crate::town::personal("registered twice"),
        authorisation: crate::town::personal("act 7"),
        by: "anna".parse().unwrap(),
        annulled_on: day("2026-03-04"),
    };
    let events = vec![Event::Register(annulled.into())];
    let acts = pratica_store::StreamName::parse("town.registeracts-2026").unwrap();
    town.record(acts, day("2026-03-04"), events).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let numbers = |rows: &[pratica_projections::RegistrationRow]| {
        rows.iter().map(|r| r.number.number).collect::<Vec<_>>()
    };
    let first = views.register_list(2026, None, &PageRequest::first(2)).await.unwrap().value;
    assert_eq!(numbers(&first.rows), [3, 2]);
    let next = PageRequest { size: 2, after: first.next };
    let rest = views.register_list(2026, None, &next).await.unwrap().value;
    assert_eq!((numbers(&rest.rows), rest.next), (vec![1], None));
    let second_day = Some(day("2026-03-02"));
    let of_day = views.register_list(2026, second_day, &PageRequest::first(9)).await.unwrap().value;
    assert_eq!(numbers(&of_day.rows), [2, 1]);
    assert!(
        views
            .register_list(2025, None, &PageRequest::first(9))
            .await
            .unwrap()
            .value
            .rows
            .is_empty()
    );
    let daily = views.registrations_of_day(day("2026-03-02")).await.unwrap().value;
    assert_eq!(numbers(&daily), [1, 2]);
    let one = views.registration(number(2)).await.unwrap().value.unwrap();
    assert!(one.annulment.unwrap().reason.sealed().is_some(), "kept as the log has it");
    assert_eq!((one.case, one.document), (Some(case(1)), Some(document(2))));
    let stream = register_stream();
    let correspondent = town.vault.read(stream.as_str(), one.correspondent.clone()).unwrap();
    assert_eq!(correspondent.value, "Rossi Mario");
    assert_eq!(views.registration(number(1)).await.unwrap().value.unwrap().annulment, None);
    assert_eq!(views.registration(number(9)).await.unwrap().value, None);
    let status = views.status().await.unwrap().value;
    let counted: Vec<_> = status.iter().map(|s| (s.name.as_str(), s.events)).collect();
    assert_eq!(counted, [("cases", 9), ("register", 4), ("timeline", 9)]);
    assert!(register_stream().as_str().starts_with("town.register-"));
}

#[tokio::test]
async fn a_case_is_found_by_number_code_name_reference_and_id_by_who_may_see_it() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    town.register(1, 1, "2026-03-02").await;
    town.declare(2, "2026-03-03", "D'Àngelo", "ada").await;
    let events = crate::town::imported_case("ordinary", day("2026-01-07"), 12);
    town.on(3, "2026-01-07", events).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let all = Access::Everything;
    let mario = Access::Account { account: "mario".to_owned(), today: day("2026-03-05") };
    let number = ProtocolNumber { year: 2026, number: 1 };
    for (key, found, by_mario) in [
        (SearchKey::Protocol(number), vec![1], vec![1]),
        (SearchKey::FiscalCode("rssmra80a01h501u".to_owned()), vec![1], vec![1]),
        (SearchKey::NamePrefix("DANG".to_owned()), vec![2], vec![]),
        (SearchKey::NamePrefix("d'ang".to_owned()), vec![2], vec![]),
        (SearchKey::NamePrefix("ros".to_owned()), vec![1], vec![1]),
        (SearchKey::NamePrefix("-".to_owned()), vec![], vec![]),
        (SearchKey::Reference("OLD-12".to_owned()), vec![3], vec![]),
        (SearchKey::Case(case(2)), vec![2], vec![]),
        (SearchKey::Case(case(9)), vec![], vec![]),
    ] {
        for (access, expected) in [(&all, found), (&mario, by_mario)] {
            let rows = views.search(access, &key, 20).await.unwrap().value;
            let ids: Vec<_> = rows.iter().map(|r| r.case).collect();
            assert_eq!(ids, expected.into_iter().map(case).collect::<Vec<_>>(), "{key:?}");
        }
    }
}

#[tokio::test]
async fn of_a_name_that_very_many_have_the_newest_filings_of_the_last_thousand_are_found() {
    let mut town = Town::new();
    for n in 1..=1_010 {
        let on = match n {
            5 => "2026-03-20",
            500 => "2026-03-19",
            501 => "2026-03-18",
            _ => "2026-03-02",
        };
        town.declare(n, on, "Rossi", &format!("account.{n}")).await;
    }
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let offices = |name: &str| Access::Offices([name.parse().unwrap()].into());
    let newest = [500, 501, 1_010, 1_009].map(case);
    for (access, expected) in [
        (Access::Everything, &newest[..]),
        (offices("anagrafe"), &newest[..]),
        (offices("scuola"), &[]),
        // Of who has few, all are looked through.
        (Access::Account { account: "account.5".to_owned(), today: day("2026-03-21") }, &[case(5)]),
    ] {
        let key = SearchKey::NamePrefix("rossi".to_owned());
        let rows = views.search(&access, &key, 4).await.unwrap().value;
        let ids: Vec<_> = rows.iter().map(|row| row.case).collect();
        assert_eq!(ids, expected, "{access:?}");
    }
}

#[tokio::test]
async fn a_citizen_sees_own_cases_and_those_of_who_they_act_for_while_they_do() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    town.declare(2, "2026-03-02", "Bianchi", "ada").await;
    let granted = case::RepresentationGranted {
        representation: entry(50),
        agent: subject(40),
        principal: subject(2),
        title: RepresentationTitle::Mandate,
        evidence: None,
        until: Some(day("2026-06-30")),
    };
    town.on(
        2,
        "2026-03-03",
        vec![party(40, PartyRole::Representative, "Verdi", "studio"), Event::Case(granted.into())],
    )
    .await;
    let mut place = caught_up(&town).await;
    let sees = async |place: &crate::town::Place, account: &str, today: &str| {
        let access = Access::Account { account: account.to_owned(), today: day(today) };
        let filter = Default::default();
        let page = PageRequest::first(10);
        let rows = place.views.list_cases(&access, &filter, &page).await.unwrap().value.rows;
        for row in &rows {
            let one = place.views.case_row_for(&access, row.case).await.unwrap().value;
            assert_eq!(one.as_ref(), Some(row));
        }
        rows.iter().map(|r| r.case.0.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(sees(&place, "mario", "2026-03-05").await, [1]);
    assert_eq!(sees(&place, "ada", "2026-03-05").await, [2]);
    assert_eq!(sees(&place, "studio", "2026-06-30").await, [2]);
    assert!(sees(&place, "studio", "2026-07-01").await.is_empty());
    assert!(sees(&place, "nobody", "2026-03-05").await.is_empty());
    let mario = Access::Account { account: "mario".to_owned(), today: day("2026-03-05") };
    assert_eq!(place.views.case_row_for(&mario, case(2)).await.unwrap().value, None);
    let ended = case::RepresentationEnded {
        representation: entry(50),
        reason: crate::town::personal("revoked"),
    };
    town.on(2, "2026-03-06", vec![Event::Case(ended.into())]).await;
    place.projector.catch_up(town.reader(), &crate::town::rules()).await.unwrap();
    assert!(sees(&place, "studio", "2026-03-06").await.is_empty());
    assert_eq!(sees(&place, "ada", "2026-03-06").await, [2]);
}

#[tokio::test]
async fn silence_closes_a_case_with_its_own_word() {
    let mut town = Town::new();
    town.declare(1, "2026-03-02", "Rossi", "mario").await;
    let silence = residency::ConfirmedBySilence {
        due_on: day("2026-04-16"),
        effective_on: day("2026-04-17"),
        legal_at: "2026-04-16T22:00:00Z".parse().unwrap(),
    };
    town.on(1, "2026-04-17", vec![Event::Residency(silence.into())]).await;
    let Place { dir: _dir, views, .. } = caught_up(&town).await;
    let row = views.case_row(case(1)).await.unwrap().value.unwrap();
    assert_eq!(
        (row.phase.as_str(), row.outcome.as_deref()),
        ("confirmed_by_silence", Some("confirmed_by_silence"))
    );
    assert_eq!((row.closed, row.closed_on), (true, Some(day("2026-04-17"))));
    let stats = views.statistics(Some("residency"), None, None).await.unwrap().value;
    assert_eq!((stats[0].late, stats[0].legal_term_days), (0, 45));
}
