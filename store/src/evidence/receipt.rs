//! A receipt: one event, its way to the root, and the signed checkpoint of that root, as a small
//! text (C2SP tlog-proof) that is checked years later without the town's server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tlog_tiles::checkpoint::Checkpoint;
use tlog_tiles::tlog::{Hash, check_record, check_tree, record_hash};

use super::EvidenceError;
use super::note::{Signer, Verifier};

const FORM: &str = "c2sp.org/tlog-proof@v1";
/// The most hashes that a proof can have: one a level.
const LEVELS: usize = 64;

/// A receipt, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The event's text, see [`super::leaf`].
    pub leaf: String,
    /// The event's place in the tree, from 0.
    pub index: u64,
    /// The hashes beside the way to the root, from below.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// What a checkpoint says, once its signature is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// Whose log.
    pub origin: String,
    /// How many events.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Writes and signs a checkpoint (C2SP tlog-checkpoint).
///
/// # Errors
/// [`EvidenceError::Malformed`] when the signer's name is no origin.
pub fn checkpoint(signer: &Signer, size: u64, root: Hash) -> Result<String, EvidenceError> {
    let body = Checkpoint::new(signer.name(), size, root, "")
        .map_err(|_| EvidenceError::Malformed("checkpoint"))?;
    Ok(signer.sign(&String::from_utf8_lossy(&body.to_bytes())))
}

/// Checks a checkpoint's signature and reads it.
///
/// # Errors
/// [`EvidenceError::Signature`], [`EvidenceError::Malformed`].
pub fn stated(note: &str, verifier: &Verifier) -> Result<Stated, EvidenceError> {
    let text = verifier.verify(note)?;
    let read = Checkpoint::from_bytes(text.as_bytes())
        .map_err(|_| EvidenceError::Malformed("checkpoint"))?;
    Ok(Stated { origin: read.origin().to_owned(), size: read.size(), root: *read.hash() })
}

/// Checks that the log of the newer checkpoint begins with that of the older.
///
/// # Errors
/// [`EvidenceError::Inconsistent`] when it does not: history was rewritten between them.
pub fn check_consistency(
    older: &Stated,
    newer: &Stated,
    proof: &[Hash],
) -> Result<(), EvidenceError> {
    let departs = EvidenceError::Inconsistent { from: older.size, to: newer.size };
    if older.size == newer.size {
        return if older.root == newer.root { Ok(()) } else { Err(departs) };
    }
    if older.origin != newer.origin || older.size == 0 || older.size > newer.size {
        return Err(departs);
    }
    check_tree(&proof.to_vec(), newer.size, newer.root, older.size, older.root).map_err(|_| departs)
}

impl Receipt {
    /// Checks the receipt with nothing but the published key.
    ///
    /// # Errors
    /// [`EvidenceError::Signature`] when the checkpoint is not the log's,
    /// [`EvidenceError::NotIncluded`] when the event is not in the log that was signed.
    pub fn verify(&self, verifier: &Verifier) -> Result<Stated, EvidenceError> {
        let stated = stated(&self.checkpoint, verifier)?;
        if self.index >= stated.size || self.proof.len() > LEVELS {
            return Err(EvidenceError::NotIncluded);
        }
        let hash = record_hash(self.leaf.as_bytes());
        check_record(&self.proof, stated.size, stated.root, self.index, hash)
            .map_err(|_| EvidenceError::NotIncluded)?;
        Ok(stated)
    }
}

impl std::fmt::Display for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{FORM}")?;
        writeln!(f, "extra {}", STANDARD.encode(&self.leaf))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl std::str::FromStr for Receipt {
    type Err = EvidenceError;
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        let malformed = || EvidenceError::Malformed("receipt");
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(malformed)?;
        let mut lines = head.lines();
        if lines.next() != Some(FORM) {
            return Err(malformed());
        }
        let field = |line: Option<&str>, name: &str| {
            line.and_then(|line| line.strip_prefix(name)).map(str::to_owned).ok_or_else(malformed)
        };
        let extra = field(lines.next(), "extra ")?;
        let leaf = STANDARD
            .decode(extra)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(malformed)?;
        let index = field(lines.next(), "index ")?.parse().map_err(|_| malformed())?;
        let proof = lines
            .map(|line| Hash::parse_hash(line).map_err(|_| malformed()))
            .collect::<Result<_, _>>()?;
        Ok(Receipt { leaf, index, proof, checkpoint: checkpoint.to_owned() })
    }
}
