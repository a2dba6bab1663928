//! What holds of every clock, whatever its entries.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use pratica_domain::term::{
    Calendar, ClockEntry, ClockOperation, Length, Reckoning, RuleSet, TermClock, TermError, Unit,
};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use crate::support::italy;

fn any_day() -> impl Strategy<Value = Date> {
    (0..900i32).prop_map(|days| date(2026, 1, 1).checked_add(days.days()).unwrap())
}

/// Days at the very ends of the calendar too.
fn wild_day() -> impl Strategy<Value = Date> {
    prop_oneof![8 => any_day(), 1 => Just(Date::MIN), 1 => Just(Date::MAX)]
}

fn key() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c"]).prop_map(str::to_owned)
}

fn unit() -> impl Strategy<Value = Unit> {
    select(vec![Unit::Days, Unit::WorkingDays, Unit::Months, Unit::Years])
}

fn any_length() -> impl Strategy<Value = Length> {
    (prop_oneof![9 => 0..200u32, 1 => any::<u32>()], unit())
        .prop_map(|(count, unit)| Length { count, unit })
}

fn sound_length() -> impl Strategy<Value = Length> {
    prop_oneof![
        (1..120u32).prop_map(Length::days),
        (1..60u32).prop_map(Length::working_days),
        (1..12u32).prop_map(Length::months),
        (1..3u32).prop_map(Length::years),
    ]
}

fn any_operation(day: BoxedStrategy<Date>) -> impl Strategy<Value = ClockOperation> {
    let cap = proptest::option::of(any::<u16>());
    let pair = (key(), day.clone());
    prop_oneof![
        1 => day.clone().prop_map(|on| ClockOperation::Start { on }),
        4 => (key(), day.clone(), cap)
            .prop_map(|(key, on, cap_days)| ClockOperation::Suspend { key, on, cap_days }),
        4 => pair.prop_map(|(key, on)| ClockOperation::Resume { key, on }),
        2 => (key(), day.clone()).prop_map(|(key, on)| ClockOperation::Interrupt { key, on }),
        2 => (key(), day.clone()).prop_map(|(key, on)| ClockOperation::Restart { key, on }),
        1 => (key(), any_length()).prop_map(|(key, by)| ClockOperation::Extend { key, by }),
        1 => key().prop_map(|key| ClockOperation::Double { key }),
        1 => day.prop_map(|on| ClockOperation::Stop { on }),
    ]
}

/// Suspensions and interruptions, each with a key of its own and most with an end.
fn stretches() -> impl Strategy<Value = Vec<Vec<ClockOperation>>> {
    let one = (any_day(), proptest::option::weighted(0.85, 0..120i32), 0..4u8);
    proptest::collection::vec(one, 0..6).prop_map(|list| {
        let stretch = |(place, (on, days, kind)): (usize, (Date, Option<i32>, u8))| {
            let key = format!("k{place}");
            let end = days.map(|days| on.checked_add(days.days()).unwrap());
            let begin = if kind == 0 {
                ClockOperation::Interrupt { key: key.clone(), on }
            } else {
                let cap_days = (kind == 1).then_some(30);
                ClockOperation::Suspend { key: key.clone(), on, cap_days }
            };
            let mut operations = vec![begin];
            operations.extend(end.map(|on| match kind {
                0 => ClockOperation::Restart { key, on },
                _ => ClockOperation::Resume { key, on },
            }));
            operations
        };
        list.into_iter().enumerate().map(stretch).collect()
    })
}

fn entry(operation: ClockOperation) -> ClockEntry {
    ClockEntry { operation, event: 1, event_type: "test".to_owned(), basis: String::new() }
}

fn clock(start: Date, length: Length, operations: Vec<ClockOperation>) -> TermClock {
    let start = entry(ClockOperation::Start { on: start });
    let mut clock = TermClock::new("residency.checks".into(), start).with_length(length);
    operations.into_iter().for_each(|operation| clock.push(entry(operation)));
    clock
}

thread_local! {
    static RULES: RuleSet = italy();
}

fn reckon(clock: &TermClock) -> Result<Reckoning, TermError> {
    RULES.with(|rules| clock.reckon(rules, &Calendar::national()))
}

fn start() -> Date {
    date(2026, 1, 15)
}

/// An unknown end lies after every known one.
fn end(clock: &TermClock) -> Date {
    reckon(clock).unwrap().end.unwrap_or(Date::MAX)
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 512, ..Default::default() })]

    #[test]
    fn no_list_of_entries_makes_a_reckoning_panic(
        operations in proptest::collection::vec(any_operation(wild_day().boxed()), 0..14),
        length in any_length(),
        today in wild_day(),
    ) {
        let entries = operations.into_iter().map(entry).collect();
        let clock = TermClock { rule: "permit.review".into(), length: Some(length), entries };
        if let Ok(reckoning) = reckon(&clock) {
            let _ = (reckoning.is_paused_on(today), reckoning.has_run_out_on(today));
            let _ = RULES.with(|r| clock.end_if_resumed_on(today, r, &Calendar::national()));
            serde_json::to_string(&reckoning).unwrap();
        }
    }

    #[test]
    fn the_order_of_the_log_makes_no_difference_to_independent_entries(
        stretches in stretches(),
        length in sound_length(),
        seed in any::<u64>(),
    ) {
        let logged: Vec<_> = stretches.concat();
        // A shuffle without randomness: sort by a hash of place and seed.
        let mut places: Vec<usize> = (0..logged.len()).collect();
        places.sort_by_key(|place| (*place as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let shuffled = places.into_iter().map(|place| logged[place].clone()).collect();
        let one = reckon(&clock(start(), length, logged)).unwrap();
        let other = reckon(&clock(start(), length, shuffled)).unwrap();
        assert_eq!((one.end, one.raw_end, one.suspended_days), (other.end, other.raw_end, other.suspended_days));
    }

    #[test]
    fn the_end_is_never_before_the_start_nor_on_a_holiday(
        stretches in stretches(),
        length in sound_length(),
    ) {
        let reckoning = reckon(&clock(start(), length, stretches.concat())).unwrap();
        if let (Some(raw), Some(end)) = (reckoning.raw_end, reckoning.end) {
            assert!(start() <= reckoning.counted_from && reckoning.counted_from <= raw);
            assert!(raw <= end);
            assert!(!Calendar::national().is_non_working_for_terms(end));
        }
    }

    #[test]
    fn one_more_suspension_never_makes_the_end_earlier(
        stretches in stretches(),
        length in sound_length(),
        on in any_day(),
        days in proptest::option::of(0..90i32),
    ) {
        let before = clock(start(), length, stretches.concat());
        let mut after = before.clone();
        let key = "more".to_owned();
        after.push(entry(ClockOperation::Suspend { key: key.clone(), on, cap_days: None }));
        if let Some(days) = days {
            let on = on.checked_add(days.days()).unwrap();
            after.push(entry(ClockOperation::Resume { key, on }));
        }
        assert!(end(&before) <= end(&after), "{:#?}", reckon(&after));
    }

    #[test]
    fn one_more_day_never_makes_the_end_earlier(
        stretches in stretches(),
        length in sound_length(),
    ) {
        let longer = Length { count: length.count + 1, ..length };
        let entries = stretches.concat();
        assert!(end(&clock(start(), length, entries.clone())) <= end(&clock(start(), longer, entries)));
    }

    #[test]
    fn an_earlier_answer_never_makes_the_end_later(
        on in 0..45i32,
        answered in 0..60i32,
        length in sound_length(),
    ) {
        let on = start().checked_add(on.days()).unwrap();
        let resumed = |days: i32| {
            let key = "a".to_owned();
            let until = on.checked_add(days.days()).unwrap();
            clock(start(), length, vec![
                ClockOperation::Suspend { key: key.clone(), on, cap_days: None },
                ClockOperation::Resume { key, on: until },
            ])
        };
        assert!(end(&resumed(answered)) <= end(&resumed(answered + 1)));
    }

    #[test]
    fn reckoning_agrees_with_crossing_off_days_one_by_one(
        pauses in proptest::collection::vec((any_day(), 0..60i32), 0..6),
        count in 1..120u32,
    ) {
        let pauses: Vec<(Date, Date)> = pauses
            .into_iter()
            .map(|(on, days)| (on, on.checked_add(days.days()).unwrap()))
            .collect();
        let mut operations = Vec::new();
        for (place, (on, until)) in pauses.iter().enumerate() {
            let key = format!("k{place}");
            operations.push(ClockOperation::Suspend { key: key.clone(), on: *on, cap_days: None });
            operations.push(ClockOperation::Resume { key, on: *until });
        }
        let found = reckon(&clock(start(), Length::days(count), operations)).unwrap();
        assert_eq!(found.raw_end, Some(crossed_off(start(), count, &pauses)));
    }
}

/// The same term by hand: cross off each day on which the clock runs; when none is left, a
/// suspension that begins no later than the day the end moves to still holds it up.
fn crossed_off(start: Date, count: u32, pauses: &[(Date, Date)]) -> Date {
    let mut day = start;
    let mut left = count;
    while left > 0 {
        day = day.tomorrow().unwrap();
        if !pauses.iter().any(|(on, until)| *on < day && day <= *until) {
            left -= 1;
        }
    }
    let calendar = Calendar::national();
    loop {
        let last = calendar.roll_forward(day);
        let held = pauses.iter().filter(|(on, until)| *on <= last && *until > day && on < until);
        match held.map(|(_, until)| *until).max() {
            Some(until) => day = until,
            None => return day,
        }
    }
}
