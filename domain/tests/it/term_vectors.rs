//! Terms and holidays against vectors made elsewhere.

use pratica_domain::term::{Calendar, Length, Unit, easter, simple_term};
use serde::Deserialize;

use crate::support::{day, shared_vectors};

#[derive(Deserialize)]
struct Vectors {
    terms: Vec<Plain>,
    working_days: Vec<Working>,
}

#[derive(Deserialize)]
struct Plain {
    unit: Unit,
    start: String,
    length: u32,
    raw_end: String,
    end_rolled: String,
    note: String,
}

#[derive(Deserialize)]
struct Working {
    start: String,
    working_days: u32,
    end_saturday_not_working: String,
    end_saturday_working: String,
}

#[test]
fn terms_end_where_the_vectors_say() {
    let Some(text) = shared_vectors("terms.json") else { return };
    let vectors: Vectors = serde_json::from_str(&text).unwrap();
    let calendar = Calendar::national();
    assert!(!vectors.terms.is_empty() && !vectors.working_days.is_empty());
    for term in vectors.terms {
        let length = Length { count: term.length, unit: term.unit };
        let found = simple_term(day(&term.start), length, true, &calendar).unwrap();
        let what = format!("{length} from {} ({})", term.start, term.note);
        assert_eq!(found.raw_end, Some(day(&term.raw_end)), "raw end of {what}");
        assert_eq!(found.end, Some(day(&term.end_rolled)), "end of {what}");
    }
    for term in vectors.working_days {
        let length = Length::working_days(term.working_days);
        for (saturday, end) in
            [(true, term.end_saturday_working), (false, term.end_saturday_not_working)]
        {
            let found = simple_term(day(&term.start), length, saturday, &calendar).unwrap();
            assert_eq!(found.end, Some(day(&end)), "{length} from {}, {saturday}", term.start);
        }
    }
}

#[test]
fn holidays_from_2020_to_2040_are_those_of_the_list_and_no_others() {
    let Some(text) = shared_vectors("italian-holidays-2020-2040.csv") else { return };
    let calendar = Calendar::national();
    let mut listed = Vec::new();
    for line in text.lines().skip(1) {
        let (date, rest) = line.split_once(',').unwrap();
        let date = day(date);
        if rest.starts_with("Pasqua") {
            assert_eq!(easter(date.year()), date);
        } else {
            listed.push(date);
        }
    }
    let mut date = day("2020-01-01");
    let mut found = Vec::new();
    while date.year() <= 2040 {
        if calendar.holiday(date).is_some() {
            found.push(date);
        }
        date = date.tomorrow().unwrap();
    }
    listed.sort();
    assert_eq!(found, listed);
}
