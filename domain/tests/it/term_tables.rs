//! Runs the text tables in `tests/terms`. How to write one is in `tests/terms/README.md`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use pratica_domain::term::{
    Calendar, ClockEntry, ClockOperation, EffectAtEnd, Length, LocalHoliday, Roll, RuleSet,
    StepKind, TermClock, TermOwner, TermRule, TermRuleId, TermStatus,
};

use crate::support::{day, italy};

/// One case being read: what is given, then what is expected.
struct Case {
    rules: RuleSet,
    clock: Option<TermClock>,
    rule: TermRuleId,
    entries: Vec<ClockEntry>,
    holidays: Vec<LocalHoliday>,
    expected: Vec<(String, Vec<String>)>,
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test reads files; the domain does not")]
fn the_tables_of_terms_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/terms");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    let mut cases = 0;
    let mut failures = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for (line, case) in split(&text) {
            cases += 1;
            let found = run(&case);
            failures.extend(found.into_iter().map(|text| format!("{name}:{line}: {text}")));
        }
    }
    assert!(cases > 40, "only {cases} cases were found");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Cases are parted by blank lines; each needs a source.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut cases = Vec::new();
    let mut current = String::new();
    let mut first = 1;
    for (index, line) in text.lines().chain([""]).enumerate() {
        if !line.trim().is_empty() {
            if current.is_empty() {
                first = index + 1;
            }
            current += line.trim();
            current.push('\n');
        } else if current.lines().any(|line| !line.starts_with('#')) {
            assert!(current.contains('#'), "line {first}: a case needs a # line with its source");
            cases.push((first, std::mem::take(&mut current)));
        } else {
            current.clear();
        }
    }
    cases
}

fn run(text: &str) -> Vec<String> {
    let case = read(text);
    let calendar = Calendar::national().with_local(case.holidays);
    let clock =
        case.clock.unwrap_or(TermClock { rule: case.rule, length: None, entries: case.entries });
    let reckoning = match clock.reckon(&case.rules, &calendar) {
        Ok(reckoning) => reckoning,
        Err(error) => {
            let wanted = |(word, _): &(String, Vec<String>)| word == "error";
            return if case.expected.iter().any(wanted) { vec![] } else { vec![error.to_string()] };
        }
    };
    let date = |date: Option<Date>| date.map_or("none".to_owned(), |date| date.to_string());
    let mut failures = Vec::new();
    for (word, arguments) in case.expected {
        let expected = arguments.join(" ");
        let found = match word.as_str() {
            "end" => date(reckoning.end),
            "raw" => date(reckoning.raw_end),
            "warn" => date(reckoning.warn_on),
            "suspended_days" => reckoning.suspended_days.to_string(),
            "status" => status(&reckoning.status),
            "ignored" => ignored(&reckoning.steps).join(" "),
            "runs_out" => reckoning.runs_out_at().map_or("never".to_owned(), |at| at.to_string()),
            "if_answered" => {
                let on = day(&arguments[0]);
                let end = clock.end_if_resumed_on(on, &case.rules, &calendar).unwrap();
                format!("{on} {}", date(end))
            }
            _ => panic!("'{word}' is no expectation"),
        };
        if found != expected {
            failures.push(format!("{word}: expected {expected}, found {found}"));
        }
    }
    failures
}

fn status(status: &TermStatus) -> String {
    match status {
        TermStatus::Running => "running".to_owned(),
        TermStatus::Suspended { since, key, residual } => {
            format!("suspended {key} {since} {}", residual.code())
        }
        TermStatus::Interrupted { since, key } => format!("interrupted {key} {since}"),
        TermStatus::Stopped { on, in_time: true } => format!("stopped {on} in_time"),
        TermStatus::Stopped { on, in_time: false } => format!("stopped {on} late"),
    }
}

fn ignored(steps: &[pratica_domain::term::Step]) -> Vec<String> {
    steps
        .iter()
        .filter_map(|step| match &step.kind {
            StepKind::Ignored { because, .. } => {
                Some(serde_json::to_value(because).unwrap().as_str().unwrap().to_owned())
            }
            _ => None,
        })
        .collect()
}

fn read(text: &str) -> Case {
    let mut case = Case {
        rules: italy(),
        clock: None,
        rule: TermRuleId::new("table"),
        entries: Vec::new(),
        holidays: Vec::new(),
        expected: Vec::new(),
    };
    let mut given = true;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["---"] => given = false,
            [word, rest @ ..] if given => give(&mut case, word, rest, line),
            [word, rest @ ..] => {
                let arguments = rest.iter().map(ToString::to_string).collect();
                case.expected.push(((*word).to_owned(), arguments));
            }
            [] => {}
        }
    }
    assert!(!case.expected.is_empty(), "a case expects nothing:\n{text}");
    case
}

fn give(case: &mut Case, word: &str, rest: &[&str], line: &str) {
    let operation = match (word, rest) {
        ("rule", [id]) if id.contains('.') => {
            case.rule = TermRuleId::new(*id);
            return;
        }
        ("rule", [length, options @ ..]) => {
            set_rule(case, length.parse().unwrap(), options);
            return;
        }
        ("policy", [key, value]) => {
            let policy = case.rules.policies.get_mut(*key).unwrap();
            let text = pratica_domain::term::PolicySetting::Text((*value).to_owned());
            policy.value = match *value {
                "true" => pratica_domain::term::PolicySetting::Flag(true),
                "false" => pratica_domain::term::PolicySetting::Flag(false),
                _ => text,
            };
            return;
        }
        ("holiday", [date]) => {
            let (month, day) = date.split_once('-').unwrap();
            let (month, day) = (month.parse().unwrap(), day.parse().unwrap());
            case.holidays.push(LocalHoliday::fixed(date, month, day, true));
            return;
        }
        ("start", [on]) => ClockOperation::Start { on: day(on) },
        ("suspend", [key, on]) => suspend(key, on, None),
        ("suspend", [key, on, "cap", days]) => suspend(key, on, Some(days.parse().unwrap())),
        ("resume", [key, on]) => ClockOperation::Resume { key: (*key).into(), on: day(on) },
        ("interrupt", [key, on]) => ClockOperation::Interrupt { key: (*key).into(), on: day(on) },
        ("restart", [key, on]) => ClockOperation::Restart { key: (*key).into(), on: day(on) },
        ("extend", [key, by]) => {
            ClockOperation::Extend { key: (*key).into(), by: by.parse().unwrap() }
        }
        ("double", [key]) => ClockOperation::Double { key: (*key).into() },
        ("stop", [on]) => ClockOperation::Stop { on: day(on) },
        _ => panic!("'{line}' is no operation"),
    };
    let event = case.entries.len() as u64;
    let (event_type, basis) = (word.to_owned(), "table".to_owned());
    case.entries.push(ClockEntry { operation, event, event_type, basis });
}

fn suspend(key: &str, on: &str, cap_days: Option<u16>) -> ClockOperation {
    ClockOperation::Suspend { key: key.to_owned(), on: day(on), cap_days }
}

fn set_rule(case: &mut Case, length: Length, options: &[&str]) {
    let rule = TermRule {
        id: case.rule.clone(),
        article: "table".to_owned(),
        length,
        doubled_part: None,
        roll: if options.contains(&"no_roll") { Roll::None } else { Roll::NextNonHoliday },
        saturday_is_working: !options.contains(&"saturday_off"),
        saturday_policy: None,
        owner: TermOwner::Office,
        effect_at_end: EffectAtEnd::Alert,
        warn_days: 0,
        title_it: "tabella".to_owned(),
        title_en: "table".to_owned(),
        doubt: String::new(),
    };
    case.rules.terms.extend(BTreeMap::from([(case.rule.clone(), rule)]));
}
