//! Writing a payload with its personal data sealed, and opening it again.
//!
//! Sealing goes by the type: whatever is a [`Personal`](pratica_domain::people::Personal) reaches
//! the JSON writer as a sealed text, or the event is not written at all. There is no way past it,
//! and no setting: the other way of writing a payload makes no event.

use std::cell::Cell;
use std::fmt::Display;

use pratica_domain::ids::SubjectId;
use pratica_domain::people::PERSONAL;
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::vault::{Place, Unsealed, Vault, VaultError};
use memchr::memchr;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Between the two fields of a `Personal`, as they were written. Within a JSON string every quote
/// is escaped, so that this can be nothing else.
const MARK: &[u8] = b"\",\"sealed\":\"";
/// Finds it; made once, since it is looked for in every event.
static MARKS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
const SUBJECT_LEN: usize = 36;

/// Where personal data is sealed for.
pub(super) struct Seal<'a> {
    vault: &'a Vault,
    stream: &'a str,
    event: Uuid,
    next: Cell<u16>,
    /// Why the vault did not seal: a serializer's error would keep its words alone.
    refused: Cell<Option<VaultError>>,
}

impl<'a> Seal<'a> {
    pub(super) fn new(vault: &'a Vault, stream: &'a str, event: Uuid) -> Self {
        Seal { vault, stream, event, next: Cell::new(0), refused: Cell::new(None) }
    }

    /// Why the vault did not seal, if that was it.
    pub(super) fn refused(&self) -> Option<VaultError> {
        self.refused.take()
    }

    fn seal(&self, subject: SubjectId, plain: &[u8]) -> Result<String, VaultError> {
        let place = Place { event: self.event, ordinal: self.next.get() };
        self.next.set(place.ordinal + 1);
        self.vault.seal(self.stream, place, subject, plain)
    }
}

/// Opens every sealed text of a payload that can be opened; what is erased stays sealed.
pub(super) fn open(
    vault: &Vault,
    stream: &str,
    event: Uuid,
    payload: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    const BEFORE: &[u8] = b"\"subject\":\"";
    let mut opened: Option<Zeroizing<Vec<u8>>> = None;
    let mut copied = 0;
    let mut ordinal = 0;
    let mut at = 0;
    while let Some(found) = MARKS.find(payload.get(at..).unwrap_or_default()) {
        let mark = at + found;
        let start = mark + MARK.len();
        let end = memchr(b'"', payload.get(start..).unwrap_or_default())
            .map(|length| start + length)
            .ok_or(VaultError::Altered)?;
        let subject_at = mark.checked_sub(SUBJECT_LEN).ok_or(VaultError::Altered)?;
        let text = |from: usize, to: usize| {
            payload
                .get(from..to)
                .and_then(|b| std::str::from_utf8(b).ok())
                .ok_or(VaultError::Altered)
        };
        if !payload.get(..subject_at).is_some_and(|before| before.ends_with(BEFORE)) {
            return Err(VaultError::Altered);
        }
        let subject: SubjectId =
            text(subject_at, mark)?.parse().map_err(|_| VaultError::Altered)?;
        let place = Place { event, ordinal };
        if let Unsealed::Open(plain) =
            vault.unseal(stream, Some(place), subject, text(start, end)?)?
        {
            let opened =
                opened.get_or_insert_with(|| Zeroizing::new(Vec::with_capacity(payload.len())));
            opened.extend_from_slice(payload.get(copied..=mark).unwrap_or_default());
            opened.extend_from_slice(b",\"value\":");
            opened.extend_from_slice(&plain);
            copied = end + 1;
        }
        ordinal += 1;
        at = end;
    }
    if let Some(opened) = &mut opened {
        opened.extend_from_slice(payload.get(copied..).unwrap_or_default());
    }
    Ok(opened)
}

/// Every sealed text of a payload.
pub(super) fn sealed(payload: &[u8]) -> impl Iterator<Item = &str> {
    sealed_of(payload).map(|(_, sealed)| sealed)
}

/// Every data subject of a payload with what is sealed of theirs.
pub(super) fn sealed_of(payload: &[u8]) -> impl Iterator<Item = (SubjectId, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let mark = at + MARKS.find(payload.get(at..)?)?;
        let start = mark + MARK.len();
        let end = start + memchr(b'"', payload.get(start..)?)?;
        at = end;
        let text = |from: usize, to: usize| std::str::from_utf8(payload.get(from..to)?).ok();
        let subject = text(mark.checked_sub(SUBJECT_LEN)?, mark)?.parse().ok()?;
        Some((subject, text(start, end)?))
    })
}

/// A serializer that passes everything on, except personal data.
pub(super) struct Sealing<'a, S> {
    pub(super) inner: S,
    pub(super) seal: &'a Seal<'a>,
}

/// A value on its way through [`Sealing`].
struct Through<'a, T: ?Sized> {
    value: &'a T,
    seal: &'a Seal<'a>,
}

impl<T: Serialize + ?Sized> Serialize for Through<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Sealing { inner, seal: self.seal })
    }
}

/// The parts of something that holds others.
pub(super) struct Parts<'a, P> {
    inner: P,
    seal: &'a Seal<'a>,
    /// Of personal data: whose it is, once that is known.
    personal: Option<Option<SubjectId>>,
}

macro_rules! pass_on {
    ($($method:ident: $type:ty),+ $(,)?) => { $(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        }
    )+ };
}

impl<'a, S: Serializer> Sealing<'a, S> {
    fn through<'b, T: ?Sized>(&self, value: &'b T) -> Through<'b, T>
    where
        'a: 'b,
    {
        Through { value, seal: self.seal }
    }
}

impl<'a, S: Serializer> Serializer for Sealing<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'a, S::SerializeSeq>;
    type SerializeTuple = Parts<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Parts<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<'a, S::SerializeTupleVariant>;
    type SerializeMap = Parts<'a, S::SerializeMap>;
    type SerializeStruct = Parts<'a, S::SerializeStruct>;
    type SerializeStructVariant = Parts<'a, S::SerializeStructVariant>;

    pass_on!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str);

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.through(value);
        self.inner.serialize_some(&value)
    }
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.through(value);
        self.inner.serialize_newtype_struct(name, &value)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.through(value);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(Parts { inner: self.inner.serialize_seq(length)?, seal: self.seal, personal: None })
    }
    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(Parts { inner: self.inner.serialize_tuple(length)?, seal: self.seal, personal: None })
    }
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let inner = self.inner.serialize_tuple_struct(name, length)?;
        Ok(Parts { inner, seal: self.seal, personal: None })
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inner = self.inner.serialize_tuple_variant(name, index, variant, length)?;
        Ok(Parts { inner, seal: self.seal, personal: None })
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(Parts { inner: self.inner.serialize_map(length)?, seal: self.seal, personal: None })
    }
    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let inner = self.inner.serialize_struct(name, length)?;
        Ok(Parts { inner, seal: self.seal, personal: (name == PERSONAL).then_some(None) })
    }
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inner = self.inner.serialize_struct_variant(name, index, variant, length)?;
        Ok(Parts { inner, seal: self.seal, personal: None })
    }
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! elements {
    ($($of:ident: $method:ident),+ $(,)?) => { $(
        impl<P: $of> $of for Parts<'_, P> {
            type Ok = P::Ok;
            type Error = P::Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), P::Error> {
                let value = Through { value, seal: self.seal };
                self.inner.$method(&value)
            }
            fn end(self) -> Result<P::Ok, P::Error> {
                self.inner.end()
            }
        }
    )+ };
}
elements!(SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field);

impl<P: SerializeMap> SerializeMap for Parts<'_, P> {
    type Ok = P::Ok;
    type Error = P::Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), P::Error> {
        self.inner.serialize_key(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), P::Error> {
        let value = Through { value, seal: self.seal };
        self.inner.serialize_value(&value)
    }
    fn end(self) -> Result<P::Ok, P::Error> {
        self.inner.end()
    }
}

impl<P: SerializeStructVariant> SerializeStructVariant for Parts<'_, P> {
    type Ok = P::Ok;
    type Error = P::Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), P::Error> {
        let value = Through { value, seal: self.seal };
        self.inner.serialize_field(key, &value)
    }
    fn end(self) -> Result<P::Ok, P::Error> {
        self.inner.end()
    }
}

impl<P: SerializeStruct> SerializeStruct for Parts<'_, P> {
    type Ok = P::Ok;
    type Error = P::Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), P::Error> {
        let Some(whose) = &mut self.personal else {
            let value = Through { value, seal: self.seal };
            return self.inner.serialize_field(key, &value);
        };
        match (key, *whose) {
            ("subject", None) => {
                let subject = serde_json::to_value(value).map_err(P::Error::custom)?;
                let subject = serde_json::from_value(subject).map_err(P::Error::custom)?;
                *whose = Some(subject);
                self.inner.serialize_field(key, value)
            }
            ("value", Some(subject)) => {
                let plain =
                    Zeroizing::new(serde_json::to_vec(value).map_err(|_| unwritable::<P>())?);
                let sealed = self.seal.seal(subject, &plain).map_err(|error| {
                    self.seal.refused.set(Some(error));
                    P::Error::custom("personal data was not sealed")
                })?;
                self.inner.serialize_field("sealed", &sealed)
            }
            // What was read without its key cannot be recorded in another place.
            _ => Err(P::Error::custom("personal data that was not opened cannot be recorded")),
        }
    }
    fn end(self) -> Result<P::Ok, P::Error> {
        self.inner.end()
    }
}

fn unwritable<P: SerializeStruct>() -> P::Error {
    P::Error::custom("personal data cannot be written as JSON")
}
