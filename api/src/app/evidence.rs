//! Evidence at work: the tree follows the log, checkpoints are signed at the comune's pace and
//! handed to witnesses, receipts are made when somebody asks.
//!
//! Never in the way of a command: it follows what is recorded already. A witness that cannot be
//! reached is logged and gets the next checkpoint, which covers all that it missed.

use super::error::{AppError, chain};
use super::http::{Http, HttpError, checked};
use super::settings::EvidenceSettings;
use super::town::WAIT;
use pratica_domain::ids::ComuneId;
use pratica_store::evidence::{
    EvidenceError, Hash, Receipt, Signer, Stated, Tree, Verifier, check_consistency, checkpoint,
    leaf, stated,
};
use pratica_store::{
    Delivery, EventReader, EventStore, Filter, Position, RecordedEvent, Subscription, Vault,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How many events are added to the tree at a time.
const BATCH: usize = 500;

/// The evidence of one comune.
pub struct Evidence {
    tree: Arc<Tree>,
    signer: Signer,
    settings: EvidenceSettings,
    http: Http,
    grown: watch::Sender<u64>,
    /// Why it does not follow the log, while it does not.
    halted: watch::Sender<Option<Halt>>,
}

/// Why the evidence does not follow the log.
type Halt = Arc<AppError>;

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("signer", &self.signer).finish_non_exhaustive()
    }
}

/// The tree of the comune whose data is in `directory`.
pub fn tree_path(directory: &Path) -> PathBuf {
    directory.join("evidence.db")
}

/// Who signs for a comune: under the origin of its settings, with a key of its vault.
///
/// # Errors
/// When the vault cannot be read.
pub fn signer(
    comune: &ComuneId,
    settings: &EvidenceSettings,
    vault: &Vault,
) -> anyhow::Result<Signer> {
    let seed = vault.secret("checkpoints")?;
    let name = if settings.origin.is_empty() {
        format!("pratica/{comune}")
    } else {
        settings.origin.clone()
    };
    anyhow::ensure!(
        !name.contains(['+', ' ', '\n']),
        "evidence.origin must not hold spaces or `+`: such as comune.example/pratica"
    );
    Ok(Signer::new(&name, &seed)?)
}

impl Evidence {
    /// Opens the tree of a comune, making it when there is none.
    ///
    /// # Errors
    /// When the tree cannot be opened, the log is shorter than the tree, or a setting is wrong.
    pub fn open(
        comune: &ComuneId,
        directory: &Path,
        settings: &EvidenceSettings,
        vault: &Vault,
        head: Position,
    ) -> anyhow::Result<Self> {
        for witness in &settings.witnesses {
            if witness.contains("://") {
                checked(witness)?;
            }
        }
        let tree = Tree::open(&tree_path(directory))?;
        let size = tree.size()?;
        anyhow::ensure!(
            size <= head.get(),
            "the log ends at {head}, and its evidence holds {size} events: events were removed; \
             restore the log, and run `pratica verify log`"
        );
        let signer = signer(comune, settings, vault)?;
        Ok(Evidence {
            tree: Arc::new(tree),
            signer,
            settings: settings.clone(),
            http: Http::new()?,
            grown: watch::Sender::new(size),
            halted: watch::Sender::new(None),
        })
    }

    /// What its signatures are checked with.
    pub fn verifier(&self) -> Verifier {
        self.signer.verifier()
    }

    /// Follows the log for ever.
    ///
    /// # Errors
    /// When the log or the tree fails; it goes on from the tree's end when run again.
    pub async fn run(&self, log: Arc<dyn EventStore>) -> Result<(), AppError> {
        let reader: Arc<dyn EventReader> = log;
        let from = Position::new(self.size()?);
        let mut subscription = Subscription::new(reader, from, Filter::all()).batch(BATCH);
        let mut signed = self.newest()?.map_or(0, |(size, _)| size);
        let every = Duration::from_secs(self.settings.every_seconds.max(1));
        let mut due = tokio::time::Instant::now() + every;
        loop {
            let delivery = tokio::select! {
                delivery = subscription.next() => {
                    Some(delivery.map_err(|e| AppError::store("following the log", e))?)
                }
                () = tokio::time::sleep_until(due) => None,
            };
            if let Some(Delivery::Events { events, .. }) = delivery {
                let tree = Arc::clone(&self.tree);
                let size = tokio::task::spawn_blocking(move || tree.append(&events))
                    .await
                    .map_err(|e| fault(Box::new(e), true))?
                    .map_err(of_the_tree)?;
                self.grown.send_replace(size);
            }
            self.halted.send_if_modified(|halt| halt.take().is_some());
            let size = self.size()?;
            let late = tokio::time::Instant::now() >= due;
            if size > signed && (late || size - signed >= self.settings.every_events.max(1)) {
                let note = self.sign(size)?;
                self.export(size, &note).await;
                signed = size;
            }
            if late {
                due = tokio::time::Instant::now() + every;
            }
        }
    }

    /// Tells who waits for the evidence why it does not follow the log; until it does again.
    pub fn halt(&self, why: &Halt) {
        self.halted.send_replace(Some(Arc::clone(why)));
    }

    fn size(&self) -> Result<u64, AppError> {
        self.tree.size().map_err(of_the_tree)
    }

    /// The newest checkpoint, with its size.
    ///
    /// # Errors
    /// When the tree's file cannot be read.
    pub fn newest(&self) -> Result<Option<(u64, String)>, AppError> {
        self.tree.checkpoint(0).map_err(of_the_tree)
    }

    /// Signs the tree of a size and keeps the checkpoint. Never one that contradicts the newest that
    /// was signed before.
    ///
    /// # Errors
    /// When the tree does not hold so many events, or is not of the history that was signed.
    pub fn sign(&self, size: u64) -> Result<String, AppError> {
        let signed = || -> Result<String, EvidenceError> {
            let root = self.tree.root(size)?;
            self.goes_on(size, root)?;
            let note = checkpoint(&self.signer, size, root)?;
            self.tree.keep(size, &note)?;
            Ok(note)
        };
        signed().map_err(of_the_tree)
    }

    fn goes_on(&self, size: u64, root: Hash) -> Result<(), EvidenceError> {
        let Some((before, note)) = self.tree.checkpoint(0)?.filter(|(before, _)| *before <= size)
        else {
            return Ok(());
        };
        let older = match stated(&note, &self.verifier()) {
            Ok(older) => older,
            // Signed under another name: the settings were changed since.
            Err(EvidenceError::Signature) => return Ok(()),
            Err(error) => return Err(error),
        };
        let newer = Stated { origin: older.origin.clone(), size, root };
        check_consistency(&older, &newer, &self.tree.consistency(before, size)?).map_err(|error| {
            match error {
                EvidenceError::Inconsistent { .. } => EvidenceError::Contradicts("what was signed"),
                error => error,
            }
        })
    }

    async fn export(&self, size: u64, note: &str) {
        for witness in &self.settings.witnesses {
            let told = if witness.contains("://") {
                self.http.post(witness, note).await
            } else {
                write(Path::new(witness), self.signer.name(), size, note)
            };
            if let Err(error) = told {
                tracing::warn!(
                    witness,
                    size,
                    error = chain(&error),
                    "a checkpoint did not reach its witness; the next one covers it"
                );
            }
        }
    }

    /// The receipt of an event. Waits until the tree holds it; signs a checkpoint that covers it
    /// if none does.
    ///
    /// # Errors
    /// `NotReached` when the tree is too slow.
    pub async fn receipt(&self, event: &RecordedEvent) -> Result<Receipt, AppError> {
        let position = event.position;
        let mut grown = self.grown.subscribe();
        let mut halted = self.halted.subscribe();
        tokio::select! {
            biased;
            waited = tokio::time::timeout(WAIT, grown.wait_for(|size| *size >= position.get())) => {
                if !waited.is_ok_and(|grown| grown.is_ok()) {
                    let position = position.get();
                    return Err(AppError::NotReached { what: "the evidence", position });
                }
            }
            Ok(halt) = halted.wait_for(Option::is_some) => {
                if let Some(why) = halt.clone() {
                    let transient = matches!(*why, AppError::Fault { transient: true, .. });
                    return Err(fault(Box::new(why), transient));
                }
            }
        }
        let kept = self.tree.checkpoint(position.get()).map_err(of_the_tree)?;
        let (size, note) = match kept {
            Some(kept) => kept,
            None => {
                let size = self.size()?;
                let note = self.sign(size)?;
                self.export(size, &note).await;
                (size, note)
            }
        };
        let proof = self.tree.inclusion(position, size).map_err(of_the_tree)?;
        let index = position.get().saturating_sub(1);
        let receipt = Receipt { leaf: leaf(event), index, proof, checkpoint: note };
        // Who is given one keeps it for years: it must hold against the log as it is.
        match receipt.verify(&self.verifier()) {
            // Signed under another name: the settings were changed since.
            Ok(_) | Err(EvidenceError::Signature) => Ok(receipt),
            Err(EvidenceError::NotIncluded) => {
                Err(of_the_tree(EvidenceError::Contradicts("the log")))
            }
            Err(error) => Err(of_the_tree(error)),
        }
    }

    /// The proof that the log of one size begins with that of another; none when there are no such
    /// sizes.
    ///
    /// # Errors
    /// When the tree's file cannot be read.
    pub fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<[u8; 32]>>, AppError> {
        match self.tree.consistency(from, to) {
            Ok(hashes) => Ok(Some(hashes.into_iter().map(|hash| hash.0).collect())),
            Err(EvidenceError::TooShort { .. }) => Ok(None),
            Err(error) => Err(of_the_tree(error)),
        }
    }
}

/// Writes a checkpoint into a directory, complete or not at all, one file each.
fn write(directory: &Path, origin: &str, size: u64, note: &str) -> Result<(), HttpError> {
    let name = format!("{}-{size:012}.checkpoint", origin.replace(['/', '.'], "-"));
    let (path, partial) = (directory.join(&name), directory.join(format!(".{name}")));
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| std::fs::write(&partial, note))
        .and_then(|()| std::fs::rename(&partial, &path));
    written.map_err(|e| HttpError::Unreachable(directory.display().to_string(), Some(Box::new(e))))
}

fn of_the_tree(error: EvidenceError) -> AppError {
    let transient = error.may_be_retried();
    fault(Box::new(error), transient)
}

fn fault(source: Box<dyn std::error::Error + Send + Sync>, transient: bool) -> AppError {
    AppError::Fault { doing: "keeping the evidence", source, transient }
}
