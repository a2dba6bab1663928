//! Reading fields: each reader notes what is wrong and goes on, so that one answer names it all.

use crate::app::{AppError, Violation};
use crate::messages::Language;
use jiff::Timestamp;
use jiff::civil::Date;
use pratica_domain::case::{Appeal, Attachment, Channel};
use pratica_domain::ids::InvalidId;
use pratica_domain::people::{Address, FiscalCode, Person};
use pratica_domain::term::{Length, Unit};
use pratica_proto::common::v1 as proto;
use pratica_proto::google::r#type::Date as DateMessage;
use std::str::FromStr;
use uuid::Uuid;

/// The longest free text, in bytes.
const TEXT_BYTES_MAX: usize = 20_000;

/// Collects what is wrong with the fields of a message.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    violations: Vec<Violation>,
}

impl Fields {
    /// Notes a violation.
    pub(crate) fn refuse(&mut self, field: impl Into<String>, rule: impl Into<String>) {
        self.violations.push(Violation::new(field, rule));
    }

    /// The value if nothing is wrong, otherwise all that is.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, AppError> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(AppError::Invalid(self.violations)),
        }
    }

    /// An identifier or a number in its text form.
    pub(crate) fn parse<T: FromStr<Err = InvalidId>>(
        &mut self,
        field: &str,
        text: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let rule = if text.is_empty() { "required: " } else { "must be " };
                self.refuse(field, format!("{rule}{}", error.rule));
                None
            }
        }
    }

    /// As [`Fields::parse`], where the field may be empty: `Some(None)` then.
    pub(crate) fn parse_optional<T: FromStr<Err = InvalidId>>(
        &mut self,
        field: &str,
        text: &str,
    ) -> Option<Option<T>> {
        if text.is_empty() { Some(None) } else { self.parse(field, text).map(Some) }
    }

    /// Several identifiers.
    pub(crate) fn parse_all<T: FromStr<Err = InvalidId>>(
        &mut self,
        field: &str,
        texts: &[String],
    ) -> Option<Vec<T>> {
        let parsed: Vec<Option<T>> = texts
            .iter()
            .enumerate()
            .map(|(i, text)| self.parse(&format!("{field}[{i}]"), text))
            .collect();
        parsed.into_iter().collect()
    }

    /// A request id: a UUID, not the nil one.
    pub(crate) fn request_id(&mut self, text: &str) -> Option<Uuid> {
        match Uuid::parse_str(text) {
            Ok(id) if !id.is_nil() => Some(id),
            _ => {
                self.refuse(
                    "request_id",
                    "required: a UUID that the client makes and keeps across retries",
                );
                None
            }
        }
    }

    /// Free text within bounds. Whether it may be empty is for the rules of the command.
    pub(crate) fn text(&mut self, field: &str, text: String) -> Option<String> {
        if text.len() > TEXT_BYTES_MAX {
            self.refuse(
                field,
                format!("at most {TEXT_BYTES_MAX} bytes; attach a document instead"),
            );
            None
        } else {
            Some(text)
        }
    }

    /// A text that may not be empty.
    pub(crate) fn required(&mut self, field: &str, text: String) -> Option<String> {
        if text.trim().is_empty() {
            self.refuse(field, "required");
            None
        } else {
            self.text(field, text)
        }
    }

    /// A legal day.
    pub(crate) fn date(&mut self, field: &str, date: Option<DateMessage>) -> Option<Date> {
        match self.date_optional(field, date)? {
            Some(date) => Some(date),
            None => {
                self.refuse(field, "required: year, month and day");
                None
            }
        }
    }

    /// A legal day that may be absent.
    pub(crate) fn date_optional(
        &mut self,
        field: &str,
        date: Option<DateMessage>,
    ) -> Option<Option<Date>> {
        let Some(date) = date else { return Some(None) };
        match read_date(&date) {
            Some(date) => Some(Some(date)),
            None => {
                self.refuse(field, "must be a day of the calendar, years 1800 to 2200");
                None
            }
        }
    }

    /// A legal day; `today` if absent.
    pub(crate) fn date_or(
        &mut self,
        field: &str,
        date: Option<DateMessage>,
        today: Date,
    ) -> Option<Date> {
        self.date_optional(field, date).map(|d| d.unwrap_or(today))
    }

    /// An instant that may be absent.
    pub(crate) fn instant_optional(
        &mut self,
        field: &str,
        time: Option<prost_types::Timestamp>,
    ) -> Option<Option<Timestamp>> {
        let Some(time) = time else { return Some(None) };
        match Timestamp::new(time.seconds, time.nanos) {
            Ok(at) if (1800..2200).contains(&pratica_domain::term::rome_date(at).year()) => {
                Some(Some(at))
            }
            _ => {
                self.refuse(field, "must be an instant, years 1800 to 2200");
                None
            }
        }
    }

    /// A member of an enum that the contract knows; the unspecified one is refused.
    pub(crate) fn choice<P, T>(
        &mut self,
        field: &str,
        number: i32,
        pick: impl FnOnce(P) -> Option<T>,
    ) -> Option<T>
    where
        P: TryFrom<i32>,
    {
        let value = P::try_from(number).ok().and_then(pick);
        if value.is_none() {
            self.refuse(field, "required: one of the values of its enum");
        }
        value
    }

    /// Several members of an enum.
    pub(crate) fn choices<P, T>(
        &mut self,
        field: &str,
        numbers: &[i32],
        pick: impl Fn(P) -> Option<T>,
    ) -> Option<Vec<T>>
    where
        P: TryFrom<i32>,
    {
        let read: Vec<Option<T>> = numbers
            .iter()
            .enumerate()
            .map(|(i, number)| self.choice(&format!("{field}[{i}]"), *number, &pick))
            .collect();
        read.into_iter().collect()
    }

    /// How a filing arrived; a citizen's comes by the portal.
    pub(crate) fn channel(&mut self, number: i32, citizen: bool) -> Option<Channel> {
        if citizen {
            return Some(Channel::Portal);
        }
        self.choice("channel", number, |c: proto::Channel| match c {
            proto::Channel::Unspecified => None,
            proto::Channel::Portal => Some(Channel::Portal),
            proto::Channel::Pec => Some(Channel::Pec),
            proto::Channel::Counter => Some(Channel::Counter),
            proto::Channel::Post => Some(Channel::Post),
            proto::Channel::Anpr => Some(Channel::Anpr),
        })
    }

    /// Term and authority of appeal. Whether they may be missing is for the rules of the command.
    pub(crate) fn appeal(&mut self, field: &str, appeal: Option<proto::Appeal>) -> Option<Appeal> {
        let appeal = appeal.unwrap_or_default();
        match u16::try_from(appeal.term_days) {
            Ok(term_days) => Some(Appeal { authority: appeal.authority, term_days }),
            Err(_) => {
                self.refuse(format!("{field}.term_days"), "at most 65535");
                None
            }
        }
    }

    /// The length of a term.
    pub(crate) fn length(
        &mut self,
        field: &str,
        length: Option<proto::TermLength>,
    ) -> Option<Length> {
        let Some(length) = length else {
            self.refuse(field, "required: count and unit");
            return None;
        };
        let unit =
            self.choice(&format!("{field}.unit"), length.unit, |u: proto::TermUnit| match u {
                proto::TermUnit::Unspecified => None,
                proto::TermUnit::Days => Some(Unit::Days),
                proto::TermUnit::WorkingDays => Some(Unit::WorkingDays),
                proto::TermUnit::Months => Some(Unit::Months),
                proto::TermUnit::Years => Some(Unit::Years),
            });
        if !(1..=3650).contains(&length.count) {
            self.refuse(format!("{field}.count"), "must be 1 to 3650");
            return None;
        }
        Some(Length { count: length.count, unit: unit? })
    }

    /// A person. Texts of refusals never repeat personal data.
    pub(crate) fn person(&mut self, field: &str, person: Option<proto::Person>) -> Option<Person> {
        let Some(person) = person else {
            self.refuse(field, "required");
            return None;
        };
        let family_name = self.required(&format!("{field}.family_name"), person.family_name);
        let given_name = self.text(&format!("{field}.given_name"), person.given_name);
        let birth_date = self.date_optional(&format!("{field}.birth_date"), person.birth_date);
        let fiscal_code = if person.fiscal_code.trim().is_empty() {
            Some(None)
        } else {
            match FiscalCode::parse(&person.fiscal_code) {
                Ok(code) => Some(Some(code)),
                Err(error) => {
                    self.refuse(format!("{field}.fiscal_code"), error.to_string());
                    None
                }
            }
        };
        Some(Person {
            given_name: given_name?,
            family_name: family_name?,
            fiscal_code: fiscal_code?,
            birth_date: birth_date?,
            contact: Some(person.contact).filter(|c| !c.is_empty()),
        })
    }

    /// An address.
    pub(crate) fn address(
        &mut self,
        field: &str,
        address: Option<proto::Address>,
    ) -> Option<Address> {
        let Some(address) = address else {
            self.refuse(field, "required");
            return None;
        };
        let municipality = self.required(&format!("{field}.municipality"), address.municipality);
        let street = self.text(&format!("{field}.street"), address.street);
        Some(Address {
            street: street?,
            postcode: address.postcode,
            municipality: municipality?,
            province: address.province,
        })
    }

    /// The documents that come with a filing.
    pub(crate) fn documents(
        &mut self,
        field: &str,
        documents: Vec<proto::DocumentInput>,
    ) -> Option<Vec<Attachment>> {
        let read: Vec<Option<Attachment>> = documents
            .into_iter()
            .enumerate()
            .map(|(i, document)| self.document(&format!("{field}[{i}]"), Some(document)))
            .collect();
        read.into_iter().collect()
    }

    /// A document as its sender describes it.
    pub(crate) fn document(
        &mut self,
        field: &str,
        document: Option<proto::DocumentInput>,
    ) -> Option<Attachment> {
        let Some(document) = document else {
            self.refuse(field, "required");
            return None;
        };
        let kind = self.required(&format!("{field}.kind"), document.kind);
        let media_type = self.required(&format!("{field}.media_type"), document.media_type);
        let sha256 = document.sha256.to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.refuse(format!("{field}.sha256"), "required: 64 hexadecimal characters");
            return None;
        }
        Some(Attachment {
            kind: kind?,
            media_type: media_type?,
            size_bytes: document.size_bytes,
            sha256,
        })
    }
}

fn read_date(date: &DateMessage) -> Option<Date> {
    let year = i16::try_from(date.year).ok().filter(|y| (1800..2200).contains(y))?;
    let month = i8::try_from(date.month).ok()?;
    let day = i8::try_from(date.day).ok()?;
    Date::new(year, month, day).ok()
}

/// A date as a message.
pub(crate) fn date_message(date: Date) -> DateMessage {
    DateMessage {
        year: i32::from(date.year()),
        month: i32::from(date.month()),
        day: i32::from(date.day()),
    }
}

/// An instant as a message.
pub(crate) fn timestamp_message(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// The language that a request asks for: its field, or the call's accept-language.
pub(crate) fn language(field: &str, metadata: &tonic::metadata::MetadataMap) -> Language {
    if field.is_empty() {
        let header = metadata.get("accept-language").and_then(|v| v.to_str().ok());
        Language::from_tag(header.unwrap_or_default())
    } else {
        Language::from_tag(field)
    }
}
