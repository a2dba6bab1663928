//! The names of the fields that a payload may have, as its type declares them.

use pratica_domain::Event;
use serde::de::{Deserializer, Visitor, value::Error};
use serde::forward_to_deserialize_any;

/// Every field that the payload of an event may have.
pub(super) fn of(event: &str) -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    let _ = Event::deserialize_payload(event, Ask(&mut fields));
    fields
}

/// Reads nothing: notes which fields are asked for.
struct Ask<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(serde::de::Error::custom("asked"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("a payload is a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
