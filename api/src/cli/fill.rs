//! Filling a request by hand: `field=value`, with dates, lengths and enum values as people write
//! them. What a field is, its descriptor says.

use super::exit::Failure;
use pratica_domain::term::{Length, Unit};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

/// Sets `path` (fields joined by dots) of a request to a text.
///
/// # Errors
/// When the message has no such field or the text does not fit it; the error names both.
pub fn set(
    message: &MessageDescriptor,
    into: &mut Value,
    path: &str,
    text: &str,
) -> Result<(), Failure> {
    let (name, rest) = match path.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let Some(field) = message.get_field_by_name(name) else {
        let known: Vec<String> = message.fields().map(|f| f.name().to_owned()).collect();
        return Err(Failure::Usage(format!(
            "{} has no field {name}; it has: {}",
            message.name(),
            known.join(", ")
        )));
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(object) = into.as_object_mut() else { return Ok(()) };
    match (rest, field.kind()) {
        (Some(rest), Kind::Message(inner)) => {
            set(&inner, object.entry(name).or_insert(Value::Null), rest, text)
        }
        (Some(rest), _) => Err(Failure::Usage(format!("{name} has no field {rest}"))),
        (None, _) if field.is_list() => {
            let value = value(&field, text)?;
            let list = object.entry(name).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(value);
            }
            Ok(())
        }
        (None, _) => {
            object.insert(name.to_owned(), value(&field, text)?);
            Ok(())
        }
    }
}

fn value(field: &FieldDescriptor, text: &str) -> Result<Value, Failure> {
    let unfit = |what: &str| Failure::Usage(format!("{}={text}: must be {what}", field.name()));
    match field.kind() {
        Kind::Bool => match text {
            "true" | "yes" => Ok(json!(true)),
            "false" | "no" => Ok(json!(false)),
            _ => Err(unfit("true or false")),
        },
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 => {
            text.parse::<i64>().map(|n| json!(n)).map_err(|_| unfit("a whole number"))
        }
        Kind::Enum(e) => {
            let wanted = text.to_ascii_uppercase();
            let names: Vec<String> = e.values().map(|v| v.name().to_owned()).collect();
            let prefix = names.first().and_then(|n| n.strip_suffix("UNSPECIFIED")).unwrap_or("");
            match names.iter().find(|n| **n == wanted || **n == format!("{prefix}{wanted}")) {
                Some(name) => Ok(json!(name)),
                None => {
                    let short: Vec<String> = names
                        .iter()
                        .skip(1)
                        .map(|n| n.trim_start_matches(prefix).to_ascii_lowercase())
                        .collect();
                    Err(unfit(&format!("one of {}", short.join(", "))))
                }
            }
        }
        Kind::Message(m) if m.full_name() == "google.type.Date" => {
            let date: jiff::civil::Date = text.parse().map_err(|_| unfit("a day, 2026-03-02"))?;
            Ok(json!({ "year": date.year(), "month": date.month(), "day": date.day() }))
        }
        Kind::Message(m) if m.full_name() == "google.protobuf.Timestamp" => Ok(json!(text)),
        Kind::Message(m) if m.full_name() == "pratica.common.v1.TermLength" => {
            let length: Length = text.parse().map_err(|_| unfit("a length such as 30d or 2wd"))?;
            let unit = match length.unit {
                Unit::Days => "TERM_UNIT_DAYS",
                Unit::WorkingDays => "TERM_UNIT_WORKING_DAYS",
                Unit::Months => "TERM_UNIT_MONTHS",
                Unit::Years => "TERM_UNIT_YEARS",
            };
            Ok(json!({ "count": length.count, "unit": unit }))
        }
        Kind::Message(_) => serde_json::from_str(text).map_err(|_| unfit("JSON")),
        _ => Ok(json!(text)),
    }
}
