//! A comune in a directory of its own: its log, its views, a clock that stands still.

use pratica_api::app::house::Open;
use pratica_api::app::{Clock, House, ManualClock, MasterKeys, register, school};
use pratica_domain::ids::ComuneId;
use pratica_projections::Projector;
use pratica_store::EventReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The comune.
pub(crate) const COMUNE: &str = "collina";
/// A Tuesday in Rome. Cases are filed within the forty days before, so that no term has run out.
pub(crate) const NOW: &str = "2026-03-10T09:00:00Z";

/// A comune, opened.
pub(crate) struct Place {
    pub(crate) house: Arc<House>,
    pub(crate) directory: PathBuf,
    projectors: Vec<(ComuneId, Projector)>,
}

impl Place {
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Place> {
        std::fs::create_dir_all(directory)?;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW.parse()?));
        let keys = MasterKeys::Demonstration;
        let (house, projectors) = House::open(directory, &[COMUNE.parse()?], clock, &keys)?;
        Ok(Place { house, directory: directory.to_owned(), projectors })
    }

    pub(crate) fn open_town(&self) -> anyhow::Result<&Open> {
        self.house.all().next().ok_or_else(|| anyhow::anyhow!("there is no comune"))
    }

    /// Brings the views up to the log, in bulk, and the processes past it; says whether they were not.
    pub(crate) async fn settle(&self) -> anyhow::Result<bool> {
        let open = self.open_town()?;
        let town = &open.town;
        let head = town.log.head().await?;
        if town.views.position() == head {
            return Ok(false);
        }
        let reader: Arc<dyn EventReader> = Arc::clone(&town.log) as Arc<dyn EventReader>;
        let rebuilt = town.views.rebuild(reader, &town.rules, |_, _| {}).await?;
        anyhow::ensure!(rebuilt == head, "the views are at {rebuilt:?}");
        for process in [register::CHECKPOINT, school::CHECKPOINT] {
            town.views.keep_checkpoint(process, head).await?;
        }
        Ok(true)
    }

    /// Starts what runs beside requests.
    pub(crate) async fn start(&mut self) {
        self.house.start(std::mem::take(&mut self.projectors)).await;
    }
}
