//! A process that follows the log from a checkpoint: what comes is taken at least once, so that
//! whatever it asks for must be recognised when it is asked for again.

use super::error::AppError;
use super::town::Town;
use pratica_store::{Delivery, EventReader, Filter, Position, RecordedEvent, Subscription};
use std::sync::Arc;
use tokio::sync::watch;

/// How many events may be looked at again after a restart.
const CHECKPOINT_EVERY: u64 = 1_000;
/// How many events a process takes at a time.
const BATCH: usize = 256;

/// What follows the log.
pub trait Follower: Sync {
    /// Its name, and that of its checkpoint.
    fn name(&self) -> &'static str;

    /// The comune whose log it is.
    fn town(&self) -> &Town;

    /// How far it is, for who waits for it.
    fn reached(&self) -> &watch::Sender<Position>;

    /// Which events concern it.
    fn filter(&self) -> Filter {
        Filter::all()
    }

    /// Takes events, in the order of the log.
    fn take(&self, events: &[RecordedEvent]) -> impl Future<Output = Result<(), AppError>> + Send;

    /// Follows the log until it is dropped.
    ///
    /// # Errors
    /// When the log or the checkpoint fails; it goes on from its checkpoint when run again.
    fn follow(&self) -> impl Future<Output = Result<(), AppError>> + Send {
        async {
            let town = self.town();
            let checkpoint = town.views.checkpoint(self.name()).await.map_err(AppError::views)?;
            let mut kept = checkpoint;
            self.reached().send_replace(checkpoint);
            let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
            let mut subscription =
                Subscription::new(reader, checkpoint, self.filter()).batch(BATCH);
            loop {
                let delivery = subscription.next().await;
                let delivery = delivery.map_err(|e| AppError::store("following the log", e))?;
                let position = match delivery {
                    Delivery::Events { events, position } => {
                        self.take(&events).await?;
                        position
                    }
                    Delivery::CaughtUp { position } => position,
                };
                if position.get() >= kept.get() + CHECKPOINT_EVERY {
                    let keeping = town.views.keep_checkpoint(self.name(), position);
                    keeping.await.map_err(AppError::views)?;
                    kept = position;
                }
                self.reached().send_if_modified(|p| {
                    let further = position > *p;
                    *p = position.max(*p);
                    further
                });
            }
        }
    }
}
