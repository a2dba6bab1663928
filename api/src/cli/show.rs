//! Answers as tables. What a program wants, `--format json` gives whole.

use super::output;
use serde_json::Value;

/// A field of an answer as text, by a path of names.
pub(crate) fn field(value: &Value, path: &str) -> String {
    let mut at = value;
    for name in path.split('.') {
        at = &at[name];
    }
    match at {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(date) if date.contains_key("year") && date.contains_key("month") => {
            let n = |k: &str| date.get(k).and_then(Value::as_i64).unwrap_or(0);
            format!("{:04}-{:02}-{:02}", n("year"), n("month"), n("day"))
        }
        other => other.to_string(),
    }
}

/// A list of an answer.
pub(crate) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Cases as rows.
pub(crate) fn cases(cases: &[Value]) {
    let rows: Vec<Vec<String>> = cases
        .iter()
        .map(|c| {
            let due = field(c, "due_date");
            let late = if c["overdue"] == true { " overdue" } else { "" };
            vec![
                field(c, "case_id"),
                field(c, "protocol_number.text"),
                field(c, "kind"),
                field(c, "phase_text"),
                field(c, "filing_date"),
                format!("{due}{late}"),
                field(c, "officer"),
                field(c, "applicant"),
            ]
        })
        .collect();
    let head = ["CASE", "PROTOCOL", "KIND", "PHASE", "FILED", "DUE", "OFFICER", "APPLICANT"];
    output::table(&head, &rows);
}

/// A case in full.
pub(crate) fn case(detail: &Value) {
    let s = &detail["summary"];
    output::pairs(&[
        ("case", field(s, "case_id")),
        ("kind", format!("{} / {}", field(s, "procedure"), field(s, "kind"))),
        ("phase", format!("{} ({})", field(s, "phase_text"), field(s, "phase"))),
        (
            "filed",
            format!("{}  protocol {}", field(s, "filing_date"), field(s, "protocol_number.text")),
        ),
        ("who has it", format!("{} {}", field(s, "office"), field(s, "officer"))),
        ("responsible", field(s, "responsible")),
        ("applicant", field(s, "applicant")),
        ("etag", field(s, "etag")),
    ]);
    println!();
    deadlines(items(detail, "deadlines"), false);
    let rows: Vec<Vec<String>> = items(detail, "documents")
        .iter()
        .map(|d| {
            vec![
                field(d, "document_id"),
                field(d, "kind"),
                field(d, "direction").replace("DIRECTION_", "").to_lowercase(),
                field(d, "document_date"),
                field(d, "number.text"),
            ]
        })
        .collect();
    println!();
    output::table(&["DOCUMENT", "KIND", "DIRECTION", "DATE", "PROTOCOL"], &rows);
    let rows: Vec<Vec<String>> = items(detail, "requests")
        .iter()
        .map(|r| ["request_entry_id", "kind", "state", "send_date"].map(|f| field(r, f)).to_vec())
        .collect();
    if !rows.is_empty() {
        println!();
        output::table(&["REQUEST", "KIND", "STATE", "SENT"], &rows);
    }
}

/// Terms, with their arithmetic if asked.
pub(crate) fn deadlines(deadlines: &[Value], with_steps: bool) {
    if with_steps {
        for d in deadlines {
            let due = field(d, "due_date");
            let due = if due.is_empty() { field(d, "status") } else { due };
            println!("{}  {}  [{}]", due, field(d, "title"), field(d, "article"));
            for step in items(d, "steps") {
                let event = field(step, "event_type");
                let event = if event.is_empty() { event } else { format!("  <- {event}") };
                println!("    {}{event}", field(step, "text"));
            }
            println!("    {}; {}", field(d, "rules_version"), field(d, "calendar_version"));
        }
        return;
    }
    let rows: Vec<Vec<String>> = deadlines
        .iter()
        .map(|d| {
            let resumed = field(d, "due_date_if_resumed_today");
            let due = field(d, "due_date");
            let due = if due.is_empty() && !resumed.is_empty() {
                format!("{resumed} if resumed today")
            } else {
                due
            };
            vec![
                field(d, "term"),
                field(d, "title"),
                field(d, "status"),
                due,
                field(d, "owner"),
                field(d, "effect_at_end"),
            ]
        })
        .collect();
    output::table(&["TERM", "TITLE", "STATUS", "DUE", "WHO", "AT THE END"], &rows);
}

/// A history in words.
pub(crate) fn timeline(entries: &[Value]) {
    for e in entries {
        let day = field(e, "occur_time");
        let who = [field(e, "role"), field(e, "actor")].join(" ");
        println!("{}  {:<20}  {}", day.get(..10).unwrap_or(&day), who.trim(), field(e, "text"));
    }
}

/// What was written, oldest first.
pub(crate) fn correspondence(entries: &[Value]) {
    for e in entries {
        let day = field(e, "occur_time");
        let direction = field(e, "direction").replace("DIRECTION_", "").to_lowercase();
        println!(
            "{}  {direction} {}  {}",
            day.get(..10).unwrap_or(&day),
            field(e, "kind"),
            field(e, "role")
        );
        for text in items(e, "texts") {
            println!("    {}", text.as_str().unwrap_or_default());
        }
    }
}

/// What may be done, and what not and why.
pub(crate) fn actions(actions: &[Value]) {
    for a in actions {
        if a["available"] == true {
            println!("yes  {}", field(a, "command"));
        }
    }
    for a in actions {
        if a["available"] != true {
            println!(
                "no   {}  {}: {}",
                field(a, "command"),
                field(a, "reason"),
                field(a, "reason_text")
            );
            println!("       {}", field(a, "unblock_text"));
        }
    }
}

/// What a command did.
pub(crate) fn outcome(outcome: &Value) {
    output::pairs(&[
        ("case", field(outcome, "case_id")),
        ("phase", field(outcome, "phase_text")),
        ("etag", field(outcome, "etag")),
    ]);
    if outcome["replayed"] == true {
        println!("this is the answer of an earlier request with the same id");
    }
    for e in items(outcome, "events") {
        println!("+ {}", field(e, "text"));
    }
    for r in items(outcome, "registrations") {
        println!("# {}  {}", field(r, "number.text"), field(r, "kind"));
    }
    let silence = field(outcome, "receipt.silence_text");
    if !silence.is_empty() {
        println!("{silence}");
    }
    println!();
    deadlines(items(outcome, "deadlines"), false);
}

/// Statistics.
pub(crate) fn statistics(answer: &Value) {
    let rows: Vec<Vec<String>> = items(answer, "rows")
        .iter()
        .map(|r| {
            let pair = |f: &str| {
                format!("{}/{}", field(r, &format!("{f}.median")), field(r, &format!("{f}.p90")))
            };
            vec![
                format!("{}/{}", field(r, "procedure"), field(r, "kind")),
                field(r, "open"),
                field(r, "closed"),
                pair("total_days"),
                field(r, "legal_term_days"),
                pair("office_days"),
                pair("citizen_days"),
                pair("third_party_days"),
                pair("suspended_days"),
                field(r, "late"),
            ]
        })
        .collect();
    let head = [
        "KIND",
        "OPEN",
        "CLOSED",
        "DAYS 50/90",
        "TERM",
        "OFFICE",
        "CITIZEN",
        "OTHERS",
        "SUSPENDED",
        "LATE",
    ];
    output::table(&head, &rows);
    println!("{}", field(answer, "method"));
}

/// Registrations of the protocol register.
pub(crate) fn registrations(rows: &[Value]) {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            let annulled = field(r, "annulment.annul_date");
            let mark =
                if annulled.is_empty() { String::new() } else { format!("annulled {annulled}") };
            vec![
                field(r, "number.text"),
                field(r, "register_date"),
                field(r, "direction").replace("DIRECTION_", "").to_lowercase(),
                field(r, "object"),
                field(r, "correspondent"),
                mark,
            ]
        })
        .collect();
    output::table(&["NUMBER", "DATE", "DIRECTION", "OBJECT", "CORRESPONDENT", ""], &rows);
}
