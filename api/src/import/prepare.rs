//! A case as appends: encoded, and split where it is larger than one append may be.

use super::error::Fault;
use super::translate::{Plan, Story, Told};
use jiff::Timestamp;
use pratica_domain::ids::derived;
use pratica_domain::imported::Source;
use pratica_store::codec::{self, Bare};
use pratica_store::event::{MAX_APPEND_BYTES, MAX_APPEND_EVENTS};
use pratica_store::{Metadata, NewEvent, Request, StoreError, StreamName, Vault};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The account that imports.
pub(super) const ACTOR: &str = "import";

/// One case, ready to be recorded.
pub(super) struct Prepared {
    pub(super) stream: StreamName,
    pub(super) appends: Vec<Part>,
    pub(super) bytes: usize,
}

/// What one append records.
pub(super) struct Part {
    pub(super) request: Request,
    pub(super) events: Vec<NewEvent>,
}

/// A payload with the event of the file that it carries beside its own fields.
#[derive(Serialize)]
struct Carrying<'a> {
    #[serde(flatten)]
    event: Bare<'a>,
    source: &'a Source,
}

impl Plan {
    /// Encodes a case.
    ///
    /// # Errors
    /// When an event is larger than the log takes, with its line.
    pub(super) fn prepare(&self, story: &Story, vault: &Vault) -> Result<Prepared, Fault> {
        let name = format!(
            "{}.{}-{}",
            self.comune,
            self.checked.mapping.procedure.as_str(),
            story.case_id
        );
        let stream = StreamName::parse(&name).map_err(|error| {
            Fault::new(story.line, error.to_string(), "choose a shorter comune")
        })?;
        let mut prepared = Prepared { stream: stream.clone(), appends: Vec::new(), bytes: 0 };
        let mut part = self.part(story, 0);
        let beside = serde_json::to_vec(&self.metadata(part.id)).map_or(512, |m| m.len());
        for told in &story.events {
            let unwritable = |error: &dyn std::error::Error| {
                Fault::new(told.line, format!("the event cannot be written: {error}"), "report it")
            };
            let mut id = derived(part.id, &format!("event {}", part.events.len()));
            let mut event = sealed(told, id, &stream, self.metadata(part.id), vault)
                .map_err(|e| unwritable(&e))?;
            let size = event.payload.len() + beside;
            if size > MAX_APPEND_BYTES {
                return Err(Fault::new(
                    told.line,
                    format!("the event takes {size} bytes; the log takes {MAX_APPEND_BYTES}"),
                    "move its long text into a document, and keep a reference here",
                ));
            }
            if part.bytes + size > MAX_APPEND_BYTES || part.events.len() == MAX_APPEND_EVENTS {
                let next = self.part(story, prepared.appends.len() as u64 + 1);
                prepared.push(std::mem::replace(&mut part, next), vault);
                // Sealed for its own place: the event's id is another now.
                id = derived(part.id, "event 0");
                event = sealed(told, id, &stream, self.metadata(part.id), vault)
                    .map_err(|e| unwritable(&e))?;
            }
            part.add(told, event).map_err(|e| unwritable(&e))?;
            part.bytes += size;
        }
        prepared.push(part, vault);
        Ok(prepared)
    }

    fn part(&self, story: &Story, number: u64) -> Growing {
        Growing {
            id: derived(story.case_id.0, &format!("import {number}")),
            fingerprint: Sha256::new(),
            events: Vec::new(),
            bytes: 0,
        }
    }

    fn metadata(&self, request_id: Uuid) -> Metadata {
        Metadata {
            actor: ACTOR.to_owned(),
            role: pratica_domain::Role::System.as_str().to_owned(),
            on_behalf_of: None,
            request_id: Some(request_id),
            correlation_id: self.import_id,
            causation_id: None,
            rules_version: self.checked.mapping.rules_version.clone(),
        }
    }
}

impl Prepared {
    fn push(&mut self, part: Growing, vault: &Vault) {
        self.bytes += part.bytes;
        // Keyed: the hash of a history that somebody guesses must not be found in the log.
        let fingerprint = vault.fingerprint(part.fingerprint.finalize().into());
        let request = Request { id: part.id, fingerprint };
        self.appends.push(Part { request, events: part.events });
    }
}

struct Growing {
    id: Uuid,
    fingerprint: Sha256,
    events: Vec<NewEvent>,
    bytes: usize,
}

impl Growing {
    fn add(&mut self, told: &Told, event: NewEvent) -> Result<(), serde_json::Error> {
        let event_type = told.event.event_type();
        let at: Timestamp = told.occurred_at;
        // Of what was told, not of how it is sealed: that differs each time.
        let payload = match &told.source {
            Some(source) => serde_json::to_vec(&Carrying { event: Bare(&told.event), source }),
            None => serde_json::to_vec(&Bare(&told.event)),
        }?;
        for bytes in [event_type.as_bytes(), &at.as_nanosecond().to_be_bytes(), &payload] {
            self.fingerprint.update((bytes.len() as u64).to_be_bytes());
            self.fingerprint.update(bytes);
        }
        self.events.push(event);
        Ok(())
    }
}

fn sealed(
    told: &Told,
    id: Uuid,
    stream: &StreamName,
    metadata: Metadata,
    vault: &Vault,
) -> Result<NewEvent, StoreError> {
    let (event, at) = (&told.event, told.occurred_at);
    match &told.source {
        Some(source) => {
            let carrying = Carrying { event: Bare(event), source };
            codec::encode_as(&carrying, event, id, stream, at, metadata, vault)
        }
        None => codec::encode(event, id, stream, at, metadata, vault),
    }
}
