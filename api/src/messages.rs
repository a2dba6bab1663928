//! Texts for people, in Italian and English, from message files: no sentence is written in code.
//!
//! A text has blanks such as `{due_on}` that facts fill; a blank without a fact shows as `…`.

use pratica_domain::term::{Length, Unit};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const IT: &str = include_str!("../messages/it.toml");
const EN: &str = include_str!("../messages/en.toml");

/// A language that Pratica speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    /// Italian.
    #[default]
    It,
    /// English.
    En,
}

impl Language {
    /// From a tag such as `en`, `en-GB` or an accept-language list; Italian if it names neither.
    pub fn from_tag(tag: &str) -> Self {
        let wanted = tag.split(',').map(|t| t.trim().get(..2).unwrap_or_default().to_lowercase());
        for language in wanted {
            match language.as_str() {
                "it" => return Language::It,
                "en" => return Language::En,
                _ => {}
            }
        }
        Language::It
    }

    /// The tag of the language.
    pub fn tag(self) -> &'static str {
        match self {
            Language::It => "it",
            Language::En => "en",
        }
    }
}

/// The facts that fill the blanks of a text.
pub type Facts = BTreeMap<String, String>;

/// The text of a key with its blanks filled; the key itself if no file has it.
pub fn text(language: Language, key: &str, facts: &Facts) -> String {
    match template(language, key) {
        Some(template) => fill(language, template, facts),
        None => key.to_owned(),
    }
}

/// The text of a key without blanks.
pub fn plain(language: Language, key: &str) -> String {
    text(language, key, &Facts::new())
}

/// Whether a file has the key.
pub fn has(language: Language, key: &str) -> bool {
    template(language, key).is_some()
}

fn template(language: Language, key: &str) -> Option<&'static str> {
    files().get(&language).and_then(|f| f.get(key)).map(String::as_str)
}

fn files() -> &'static BTreeMap<Language, BTreeMap<String, String>> {
    static FILES: OnceLock<BTreeMap<Language, BTreeMap<String, String>>> = OnceLock::new();
    FILES.get_or_init(|| {
        [(Language::It, IT), (Language::En, EN)]
            .into_iter()
            .map(|(language, source)| (language, read(source)))
            .collect()
    })
}

/// A file that cannot be read gives no texts; a test reads both, so that this never ships.
fn read(source: &str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    if let Ok(table) = source.parse::<toml::Table>() {
        flatten("", &toml::Value::Table(table), &mut texts);
    }
    texts
}

fn flatten(prefix: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&path, value, into);
            }
        }
        other => {
            into.insert(prefix.to_owned(), other.as_str().unwrap_or_default().to_owned());
        }
    }
}

fn fill(language: Language, template: &str, facts: &Facts) -> String {
    let mut filled = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((blank, after)) = after.split_once('}') else {
            rest = after;
            break;
        };
        match facts.get(blank).filter(|v| !v.is_empty()) {
            Some(value) => filled.push_str(&humane(language, value)),
            None => filled.push('…'),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Dates and lengths as people write them; known words from the file; everything else as it is.
fn humane(language: Language, value: &str) -> String {
    if let Ok(date) = value.parse::<jiff::civil::Date>()
        && value.len() == 10
    {
        return match language {
            Language::It => format!("{:02}/{:02}/{}", date.day(), date.month(), date.year()),
            Language::En => date.to_string(),
        };
    }
    if let Ok(length) = value.parse::<Length>() {
        let unit = match length.unit {
            Unit::Days => "days",
            Unit::WorkingDays => "working_days",
            Unit::Months => "months",
            Unit::Years => "years",
        };
        let word = template(language, &format!("unit.{unit}")).unwrap_or(unit);
        return format!("{} {word}", length.count);
    }
    let word = |value: &str| template(language, &format!("word.{value}"));
    // A list such as the phases that a command fits: word by word, if all of them are known.
    let words: Option<Vec<_>> = value.split(", ").map(word).collect();
    words.map_or_else(|| value.to_owned(), |words| words.join(", "))
}

/// The facts of a JSON value: every leaf under its own name, lists joined.
pub fn facts_of(value: &Value) -> Facts {
    let mut facts = Facts::new();
    collect("", value, &mut facts);
    facts
}

fn collect(name: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                collect(key, value, facts);
            }
        }
        Value::Array(items) => {
            let joined: Vec<String> = items.iter().map(item).collect();
            facts.entry(name.to_owned()).or_insert_with(|| joined.join(", "));
        }
        Value::Null => {}
        leaf => {
            facts.entry(name.to_owned()).or_insert_with(|| item(leaf));
        }
    }
}

fn item(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let name = fields.get("name").and_then(Value::as_str);
            let date = fields.get("date").and_then(Value::as_str);
            match (name, date) {
                (Some(name), Some(date)) => format!("{name} ({date})"),
                _ => fields.values().map(item).collect::<Vec<_>>().join(" "),
            }
        }
        other => other.to_string(),
    }
}
