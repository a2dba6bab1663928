//! What the door lets in.

use std::time::Duration;

/// The largest message read, in bytes: documents stay outside, so commands are small.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// How long a unary call may take when the client sets no deadline.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long calls may take to end once the server is asked to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// Streams at once on one connection.
pub(crate) const STREAMS_MAX: u32 = 256;
/// Calls that wait or are worked on at once, of all connections: what a server takes in about a
/// second, so that nobody waits for longer than it would take to come back.
pub(crate) const CALLS_MAX: usize = 1_024;
/// Beyond that, up to as many again of accounts that have fewer than so many: who calls now and then
/// is served while those are refused who call all the time.
pub(crate) const CALLS_OF_ONE_FEW: usize = 4;
/// Of all, calls of one account: nobody can take the place of everybody else.
pub(crate) const CALLS_OF_ONE_MAX: usize = 512;
/// Answers at once that were begun and are not over, of all connections: streams, and what a client
/// has not read.
pub(crate) const ANSWERS_MAX: usize = 16_384;
/// Of them, answers to one account.
pub(crate) const ANSWERS_OF_ONE_MAX: usize = 1_024;
/// All headers of a call, in bytes.
pub(crate) const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// A client that was silent for so long is asked whether it lives, and has half of that to answer
/// before it is cut off.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a connection may take to shake hands and to say its first bytes.
pub(crate) const BEGIN: Duration = Duration::from_secs(10);
/// How often a silent stream says that it lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many messages wait for a slow reader of a stream before the stream waits.
pub(crate) const STREAM_BUFFER: usize = 16;
/// Cases of one bulk command.
pub(crate) const BULK_MAX: usize = 500;
