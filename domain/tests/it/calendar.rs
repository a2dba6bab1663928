//! Holidays, the comune's own list, and days in Rome.

use jiff::Timestamp;
use pratica_domain::term::{
    Calendar, Length, LocalHoliday, backward, easter, first_instant_after, first_instant_of,
    rome_date,
};

use crate::support::day;

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn easter_falls_where_the_church_says() {
    for date in ["1961-04-02", "2000-04-23", "2008-03-23", "2026-04-05", "2038-04-25"] {
        assert_eq!(easter(day(date).year()), day(date));
    }
}

#[test]
fn easter_and_holidays_can_be_asked_of_any_year() {
    for year in [-9999, -1, 0, 1, 9999] {
        assert_eq!(easter(year).year(), year);
    }
    let last = day("9999-12-31");
    assert!(!Calendar::national().is_non_working_for_terms(last));
}

#[test]
fn saint_francis_is_a_holiday_since_2026() {
    let calendar = Calendar::national();
    assert!(calendar.holiday(day("2025-10-04")).is_none());
    assert!(calendar.holiday(day("2026-10-04")).is_some());
    assert!(calendar.holiday(day("2027-10-04")).unwrap().source.contains("L. 151/2025"));
}

#[test]
fn the_patron_saint_counts_only_where_the_list_says_so() {
    let june = day("2026-06-29");
    let saint = |counts| vec![LocalHoliday::fixed("Santi Pietro e Paolo", 6, 29, counts)];
    assert!(!Calendar::national().is_non_working_for_terms(june));
    assert!(!Calendar::national().with_local(saint(false)).is_non_working_for_terms(june));
    let rome = Calendar::national().with_local(saint(true));
    assert!(rome.is_non_working_for_terms(june));
    assert_eq!(rome.holiday(june).unwrap().name, "Santi Pietro e Paolo");
    assert!(rome.version().contains("Santi Pietro e Paolo 29/6"));
}

#[test]
fn pentecost_monday_follows_easter() {
    let list = vec![LocalHoliday::after_easter("Lunedì di Pentecoste", 50, true)];
    let bolzano = Calendar::national().with_local(list);
    assert!(bolzano.is_non_working_for_terms(day("2026-05-25")));
    assert!(!bolzano.is_non_working_for_terms(day("2027-05-25")));
    assert!(bolzano.is_non_working_for_terms(day("2027-05-17")));
}

#[test]
fn a_local_holiday_is_read_from_a_file_or_refused_with_a_reason() {
    let read = |text: &str| toml::from_str::<LocalHoliday>(text).map_err(|e| e.to_string());
    let fixed = "name = 'San Petronio'\nmonth = 10\nday = 4\ncounts_for_terms = false";
    assert_eq!(read(fixed).unwrap(), LocalHoliday::fixed("San Petronio", 10, 4, false));
    let easter = "name = 'P'\ndays_after_easter = 50\ncounts_for_terms = true";
    assert_eq!(read(easter).unwrap(), LocalHoliday::after_easter("P", 50, true));
    let impossible = "name = 'P'\nmonth = 2\nday = 30\ncounts_for_terms = true";
    assert!(read(impossible).unwrap_err().contains("no day of any year"));
    let both = "name = 'P'\nmonth = 2\nday = 3\ndays_after_easter = 1\ncounts_for_terms = true";
    assert!(read(both).unwrap_err().contains("not both"));
    assert!(read("name = 'P'\nmonth = 2\nday = 3").unwrap_err().contains("counts_for_terms"));
}

#[test]
fn saturday_is_an_ordinary_day_for_the_end_of_a_term() {
    let calendar = Calendar::national();
    assert!(!calendar.is_non_working_for_terms(day("2026-03-07")));
    assert!(calendar.is_working_day(day("2026-03-07"), true));
    assert!(!calendar.is_working_day(day("2026-03-07"), false));
}

#[test]
fn rolling_goes_day_by_day_over_a_run_of_holidays() {
    let calendar = Calendar::national();
    // Christmas on Friday, St Stephen on Saturday, then Sunday.
    assert_eq!(calendar.roll_forward(day("2026-12-25")), day("2026-12-28"));
    assert_eq!(calendar.roll_forward(day("2026-08-15")), day("2026-08-17"));
    assert_eq!(calendar.roll_forward(day("2026-08-14")), day("2026-08-14"));
}

#[test]
fn a_legal_date_is_that_of_rome_in_winter_and_in_summer() {
    assert_eq!(rome_date(instant("2026-01-31T22:59:59Z")), day("2026-01-31"));
    assert_eq!(rome_date(instant("2026-01-31T23:00:00Z")), day("2026-02-01"));
    assert_eq!(rome_date(instant("2026-07-31T21:59:59Z")), day("2026-07-31"));
    assert_eq!(rome_date(instant("2026-07-31T22:00:00Z")), day("2026-08-01"));
}

#[test]
fn the_days_on_which_the_clock_changes_have_23_and_25_hours() {
    let hours = |date: &str| {
        let date = day(date);
        (first_instant_after(date) - first_instant_of(date)).total(jiff::Unit::Hour).unwrap()
    };
    assert_eq!(hours("2026-03-29"), 23.0);
    assert_eq!(hours("2026-10-25"), 25.0);
    assert_eq!(hours("2026-10-26"), 24.0);
    assert_eq!(first_instant_of(day("2026-10-26")), instant("2026-10-25T23:00:00Z"));
}

#[test]
fn instants_beyond_the_calendar_saturate() {
    assert_eq!(first_instant_after(day("9999-12-31")), Timestamp::MAX);
    assert!(first_instant_of(jiff::civil::Date::MIN) <= instant("-009998-01-01T00:00:00Z"));
}

#[test]
fn counting_back_gives_the_plain_day_and_the_safe_one() {
    let calendar = Calendar::national();
    // 15 days before 16 April 2026 is 1 April; 10 days before is Easter Monday.
    let found = backward(day("2026-04-16"), Length::days(15), &calendar).unwrap();
    assert_eq!((found.unanticipated, found.anticipated), (day("2026-04-01"), day("2026-04-01")));
    let found = backward(day("2026-04-16"), Length::days(10), &calendar).unwrap();
    assert_eq!((found.unanticipated, found.anticipated), (day("2026-04-06"), day("2026-04-04")));
    let found = backward(day("2026-03-31"), Length::months(1), &calendar).unwrap();
    assert_eq!(found.unanticipated, day("2026-02-28"));
    let found = backward(day("2026-04-08"), Length::working_days(2), &calendar).unwrap();
    assert_eq!(found.anticipated, day("2026-04-03"));
    assert!(backward(jiff::civil::Date::MIN, Length::days(1), &calendar).is_err());
}
