//! The small facts of an event, as one flat JSON object, written straight from the event.
//!
//! Numbers, words and lists of them are kept; what is nested gets a name with dots. Personal data
//! is left out by its type: whatever is a `Personal` is not even looked into. Long texts and lists
//! of objects are left out too.

use std::fmt::{Display, Write};

use pratica_domain::Event;
use serde::ser::{self, Impossible, Serialize};

/// The longest text that is kept, in bytes.
const LONGEST_TEXT: usize = 400;

/// The type whose content is never kept.
const PERSONAL: &str = "Personal";

/// Writes the facts of an event behind what is there.
///
/// # Errors
/// When an event holds what no event may: a map with keys that are no texts.
pub(crate) fn write(json: &mut String, event: &Event) -> Result<(), Refused> {
    json.push('{');
    let mut path = String::new();
    event.serialize_payload(Facts { json, path: &mut path })?;
    json.push('}');
    Ok(())
}

/// What cannot be written as facts.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl ser::Error for Refused {
    fn custom<T: Display>(message: T) -> Self {
        Refused(message.to_string())
    }
}

/// Writes a value at a path.
struct Facts<'a> {
    json: &'a mut String,
    path: &'a mut String,
}

impl Facts<'_> {
    fn name(&mut self) {
        if self.path.is_empty() {
            // A payload that is no object: it has no name of its own.
            self.path.push_str("value");
        }
        if !self.json.ends_with('{') {
            self.json.push(',');
        }
        quote(self.json, self.path);
        self.json.push(':');
    }

    fn raw(mut self, value: impl Display) -> Result<(), Refused> {
        self.name();
        write!(self.json, "{value}").map_err(ser::Error::custom)
    }

    fn text(mut self, text: &str) -> Result<(), Refused> {
        if text.len() <= LONGEST_TEXT {
            self.name();
            quote(self.json, text);
        }
        Ok(())
    }
}

/// Writes a JSON string.
fn quote(json: &mut String, text: &str) {
    json.push('"');
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        json.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '"' => json.push_str("\\\""),
                '\\' => json.push_str("\\\\"),
                c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
                c => json.push(c),
            }
        }
    }
    json.push('"');
}

macro_rules! raw {
    ($($method:ident: $type:ty),+) => { $(
        fn $method(self, value: $type) -> Result<(), Refused> {
            self.raw(value)
        }
    )+ };
}

impl<'a> ser::Serializer for Facts<'a> {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = Impossible<(), Refused>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Impossible<(), Refused>;

    raw!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64);

    fn serialize_f32(self, value: f32) -> Result<(), Refused> {
        self.serialize_f64(value.into())
    }
    fn serialize_f64(self, value: f64) -> Result<(), Refused> {
        if value.is_finite() { self.raw(value) } else { Ok(()) }
    }
    fn serialize_char(self, value: char) -> Result<(), Refused> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.text(value)
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Refused> {
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Refused> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Refused> {
        self.text(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        if name == PERSONAL { Ok(()) } else { value.serialize(self) }
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        let mut fields = Fields { facts: self, skipped: false };
        fields.field(variant, value)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Refused> {
        let start = self.json.len();
        Ok(List { facts: self, start, items: 0, whole: true })
    }
    fn serialize_tuple(self, length: usize) -> Result<List<'a>, Refused> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_struct(self, _: &'static str, n: usize) -> Result<List<'a>, Refused> {
        self.serialize_seq(Some(n))
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Refused> {
        Err(ser::Error::custom(format!("no facts can be made of the variant {variant}")))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'a>, Refused> {
        Ok(Fields { facts: self, skipped: false })
    }
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a>, Refused> {
        Ok(Fields { facts: self, skipped: name == PERSONAL })
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Refused> {
        Err(ser::Error::custom(format!("no facts can be made of the variant {variant}")))
    }
}

/// The fields of an object, each at its own path.
struct Fields<'a> {
    facts: Facts<'a>,
    /// Personal data: nothing of it is kept.
    skipped: bool,
}

impl Fields<'_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Refused> {
        if self.skipped {
            return Ok(());
        }
        let length = self.facts.path.len();
        if length > 0 {
            self.facts.path.push('.');
        }
        self.facts.path.push_str(name);
        let written =
            value.serialize(Facts { json: &mut *self.facts.json, path: &mut *self.facts.path });
        self.facts.path.truncate(length);
        written
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Refused;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.field(name, value)
    }
    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

impl ser::SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = Refused;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Refused> {
        Err(ser::Error::custom("a map is written entry by entry"))
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Refused> {
        Err(ser::Error::custom("a map is written entry by entry"))
    }
    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), Refused> {
        match serde_json::to_value(key).map_err(ser::Error::custom)? {
            serde_json::Value::String(name) => self.field(&name, value),
            _ => Err(ser::Error::custom("a map with a key that is no text")),
        }
    }
    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

/// A list: kept whole if it holds numbers and short words only.
struct List<'a> {
    facts: Facts<'a>,
    start: usize,
    items: usize,
    whole: bool,
}

impl List<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        if !self.whole {
            return Ok(());
        }
        // An item is written as if it were alone; more than one value, or none, is no small fact.
        let mut alone = String::from("{");
        let mut path = String::from("x");
        value.serialize(Facts { json: &mut alone, path: &mut path })?;
        match alone.strip_prefix("{\"x\":") {
            None => self.whole = false,
            Some(item) => {
                if self.items == 0 {
                    self.facts.name();
                    self.facts.json.push('[');
                } else {
                    self.facts.json.push(',');
                }
                self.facts.json.push_str(item);
                self.items += 1;
            }
        }
        Ok(())
    }

    fn finish(self) {
        if !self.whole {
            self.facts.json.truncate(self.start);
        } else if self.items > 0 {
            self.facts.json.push(']');
        }
    }
}

macro_rules! list {
    ($($trait:ident :: $method:ident),+) => { $(
        impl ser::$trait for List<'_> {
            type Ok = ();
            type Error = Refused;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
                self.item(value)
            }
            fn end(self) -> Result<(), Refused> {
                self.finish();
                Ok(())
            }
        }
    )+ };
}

list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field
);

#[cfg(test)]
mod tests {
    use super::Facts;
    use pratica_domain::ids::{EntryId, SubjectId};
    use pratica_domain::people::Personal;
    use pratica_domain::{Event, case, residency};
    use serde::Serialize;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    #[derive(Serialize)]
    struct Inner {
        on: &'static str,
        n: u8,
    }

    #[derive(Serialize)]
    struct All {
        flag: bool,
        words: Vec<&'static str>,
        none: Option<u8>,
        inner: Inner,
        map: BTreeMap<&'static str, &'static str>,
        name: Personal<Inner>,
        names: Vec<Personal<&'static str>>,
        objects: Vec<Inner>,
        pairs: Vec<(u8, u8)>,
        quoted: &'static str,
        long: String,
        last: i64,
    }

    #[test]
    fn small_facts_are_kept_flat_and_persons_left_out() {
        let subject = SubjectId(Uuid::nil());
        let all = All {
            flag: true,
            words: vec!["a", "b"],
            none: None,
            inner: Inner { on: "2026-03-02", n: 1 },
            map: BTreeMap::from([("k", "v")]),
            name: Personal::new(subject, Inner { on: "secret", n: 2 }),
            names: vec![Personal::new(subject, "secret")],
            objects: vec![Inner { on: "x", n: 3 }],
            pairs: vec![(1, 2)],
            quoted: "a \"b\" \\ \n",
            long: "x".repeat(401),
            last: -5,
        };
        let mut json = String::from("{");
        let mut path = String::new();
        all.serialize(Facts { json: &mut json, path: &mut path }).expect("no map keys but texts");
        json.push('}');
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            read,
            serde_json::json!({
                "flag": true, "words": ["a", "b"], "inner.on": "2026-03-02", "inner.n": 1,
                "map.k": "v", "pairs": [[1, 2]], "quoted": "a \"b\" \\ \n", "last": -5,
            })
        );
    }

    fn of(event: &Event) -> String {
        let mut before = "before".to_owned();
        super::write(&mut before, event).expect("facts");
        before.strip_prefix("before").expect("what was there stays").to_owned()
    }

    #[test]
    fn events_tell_their_facts() {
        let found = residency::FoundIrreceivable {
            grounds: vec![residency::Ground::SignatureMissing],
            reasons: Personal::new(SubjectId(Uuid::nil()), "unsigned".to_owned()),
            found_on: jiff::civil::date(2026, 3, 2),
            appeal: residency::Appeal { authority: "Prefect".to_owned(), term_days: 30 },
        };
        assert_eq!(
            of(&Event::Residency(found.into())),
            "{\"grounds\":[\"signature_missing\"],\
             \"found_on\":\"2026-03-02\",\"appeal.authority\":\"Prefect\",\"appeal.term_days\":30}"
        );
        let text = Personal::new(SubjectId(Uuid::nil()), "secret".to_owned());
        let note = case::NoteAdded { note: EntryId(Uuid::nil()), text };
        assert_eq!(
            of(&Event::Case(note.into())),
            "{\"note\":\"00000000-0000-0000-0000-000000000000\"}"
        );
    }
}
