//! The log: where events are kept, and nothing else.
//!
//! One contract ([`log`]), three stores that keep it ([`memory`], [`sqlite`], [`cluster`]) and one
//! suite that proves they do (`testing::conformance`, behind the feature `testing`). Bytes go in and
//! the same bytes come out.
//!
//! What every store promises:
//!
//! - **Atomic.** All events of one append become visible together, or none does.
//! - **Durable when answered.** An append is answered only after a power-safe flush.
//! - **Checked.** An append names the revision it expects; there is no way to force one.
//! - **Gapless and in order.** Positions are 1, 2, 3, ... and become visible in that order: a
//!   reader that has seen position *n* will never see a new event at or below *n*.
//! - **Idempotent.** A repeated request id is recognised for ever, also when it recorded no
//!   event, and is answered with the values of the first time.
//! - **Append only.** No event and no request id is ever changed or removed.
//!
//! What must never enter: a clock (times are given), randomness (ids are given; only the [`vault`]
//! and the [`cluster`] ask for some, for keys, nonces and the marks of a try), an async runtime of
//! its own (the [`cluster`] runs on its caller's), the meaning of an event, personal data in an error
//! text.

pub mod access;
pub mod cluster;
pub mod codec;
pub mod error;
pub mod event;
pub mod evidence;
pub mod log;
pub mod memory;
pub mod revision;
pub mod sqlite;
pub mod subscription;
#[cfg(feature = "testing")]
pub mod testing;
pub mod vault;
pub mod wire;

pub use cluster::ClusterLog;
pub use error::StoreError;
pub use event::{
    AppendRequest, Appended, Metadata, NewEvent, RawAppend, RawEvent, RecordedEvent, Request,
    RequestRecord, StreamName,
};
pub use log::{Direction, EventAppender, EventReader, EventStore, Filter, Fut, Page};
pub use memory::MemoryLog;
pub use revision::{Expected, Position, Revision};
pub use sqlite::SqliteLog;
pub use subscription::{Delivery, Subscription};
pub use vault::{BlindIndex, MasterKey, Vault, VaultError};
