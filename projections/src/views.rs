//! The query side: a handle over the file that serves now.
//!
//! Each query runs on a pool of read-only connections, in one snapshot together with the position
//! that it is of. A rebuild puts another generation of the file under the handle; queries that
//! began on the old one finish there, and the last of them removes it.

mod desk;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::civil::Date;
use pratica_domain::ids::{CallId, CaseId, OfficeId, OfficerId, ProtocolNumber};
use pratica_store::sqlite::{ReaderPool, in_snapshot};
use pratica_store::{BlindIndex, Position};
use rusqlite::Connection;

use crate::desk::Desk;
use crate::digest::Digest;
use crate::error::ViewError;
use crate::projector::Projector;
use crate::query::{self, cases, deadlines, disposal, register, statistics, timeline, worklist};
use crate::rebuild;
use crate::schema::{self, Mode};
use crate::school::query as school;
use crate::school::types::{CallRow, ListRow, OfferRow, RankRow};
use crate::types::{
    Access, AsOf, CaseFilter, CaseRow, Counts, DisposalRow, DisposalStage, DueTerm, PageRequest,
    Paged, RegistrationRow, SearchKey, StatRow, TimelineRow, ViewStatus, WorklistQuery,
};
use crate::writer::Writer;

/// How views are kept. The defaults suit one comune.
#[derive(Debug, Clone)]
pub struct ViewsOptions {
    /// Threads that answer queries, each with its own connection. At least one.
    pub readers: usize,
    /// How many queries may wait; one more waits before it is queued.
    pub read_queue: usize,
    /// Page cache of the writer and of each of the two connections for short queries, in KiB; the
    /// threads that answer share twice as much.
    pub cache_kib: u32,
    /// How many events one transaction takes at most.
    pub batch_events: usize,
    /// How many events a rebuild works out at a time at most; its transaction is one.
    pub rebuild_batch_events: usize,
    /// How many folded cases are kept at most, so that the next event of a case needs no reading.
    pub cached_cases: usize,
}

impl Default for ViewsOptions {
    fn default() -> Self {
        Self {
            readers: 8,
            read_queue: 256,
            cache_kib: 16 * 1024,
            batch_events: 20_000,
            rebuild_batch_events: 40_000,
            cached_cases: 16_384,
        }
    }
}

/// One file and its readers. The last who lets go of a replaced one removes the file.
pub(crate) struct Generation {
    pool: Option<ReaderPool>,
    pub(crate) path: PathBuf,
    pub(crate) replaced: AtomicBool,
}

impl Generation {
    pub(crate) fn open(path: &Path, options: &ViewsOptions) -> Result<Self, ViewError> {
        let pool = ReaderPool::open(path, options.readers, options.read_queue, options.cache_kib)?;
        Ok(Self { pool: Some(pool), path: path.to_path_buf(), replaced: AtomicBool::new(false) })
    }

    fn pool(&self) -> Result<&ReaderPool, ViewError> {
        self.pool
            .as_ref()
            .ok_or_else(|| ViewError::Damaged { detail: "the readers have ended".to_owned() })
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        drop(self.pool.take());
        if self.replaced.load(Ordering::Acquire) {
            rebuild::remove(&self.path);
        }
    }
}

/// What the handle, the projector and a rebuild share.
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) options: ViewsOptions,
    pub(crate) generation: RwLock<Arc<Generation>>,
    /// The one writer. A rebuild puts another in its place, between two batches.
    pub(crate) writer: Mutex<Writer>,
    pub(crate) position: AtomicU64,
    pub(crate) rebuilding: AtomicBool,
    /// Told when a query finds the file damaged.
    damaged: RwLock<Box<dyn Fn() + Send + Sync>>,
    desk: Desk,
    /// Makes what people are found by; all that the views see of the vault.
    pub(crate) index: Arc<dyn BlindIndex>,
}

impl Shared {
    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        // A batch that panicked was rolled back and left the position alone; what it took out of
        // the cache is read from the log again.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The views of one comune, to be asked. Cheap to clone.
#[derive(Clone)]
pub struct Views {
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Views {
    /// Opens the views in this file, making it when there is none, and the desk beside it
    /// (`desk.db`); the directory must exist. Views of another version of the tables or of the
    /// logic, older or newer, are thrown away and built again by catching up.
    ///
    /// `index` makes what people are found by: of the vault, the views see nothing else.
    /// Opens once for each file: the projector is its only writer. Blocks for as long as it takes.
    ///
    /// # Errors
    /// [`ViewError::Foreign`] when the file is something else, [`ViewError::Sqlite`],
    /// [`ViewError::Io`] and [`ViewError::Log`] when it cannot be opened.
    pub fn open(
        path: &Path,
        options: ViewsOptions,
        index: Arc<dyn BlindIndex>,
    ) -> Result<(Views, Projector), ViewError> {
        rebuild::settle(path)?;
        let desk = Desk::open(&path.with_file_name("desk.db"))?;
        let (writer, generation) = match files(path, &options, &index) {
            Err(error) if error.is_damage() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the views' file is damaged: the views are built again from the log"
                );
                rebuild::remove(path);
                files(path, &options, &index)?
            }
            opened => opened?,
        };
        let shared = Arc::new(Shared {
            path: path.to_path_buf(),
            position: AtomicU64::new(writer.position().get()),
            generation: RwLock::new(Arc::new(generation)),
            writer: Mutex::new(writer),
            rebuilding: AtomicBool::new(false),
            damaged: RwLock::new(Box::new(|| {})),
            desk,
            options,
            index,
        });
        Ok((Views { shared: Arc::clone(&shared) }, Projector::new(shared)))
    }

    /// Runs a query that reads a page of rows by an index, in one snapshot with its position.
    async fn ask<T, Q>(&self, query: Q) -> Result<AsOf<T>, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        let found = self.shared.generation().pool()?.run_short(|c| snapshot(c, query)).await?;
        self.told_of_damage(found)
    }

    /// As [`Views::ask`], for a query that goes through many rows.
    async fn ask_long<T, Q>(&self, query: Q) -> Result<AsOf<T>, ViewError>
    where
        T: Send + 'static,
        Q: FnOnce(&Connection) -> Result<T, ViewError> + Send + 'static,
    {
        let found = self.shared.generation().pool()?.run(|c| snapshot(c, query)).await?;
        self.told_of_damage(found)
    }

    fn told_of_damage<T>(&self, found: Result<T, ViewError>) -> Result<T, ViewError> {
        if found.as_ref().is_err_and(ViewError::is_damage) {
            (self.shared.damaged.read().unwrap_or_else(PoisonError::into_inner))();
        }
        found
    }

    /// Calls this when a query finds the file damaged, for who can have it built again.
    pub fn on_damage(&self, hook: Box<dyn Fn() + Send + Sync>) {
        *self.shared.damaged.write().unwrap_or_else(PoisonError::into_inner) = hook;
    }

    /// The position up to which the views have applied the log: committed and readable.
    pub fn position(&self) -> Position {
        Position::new(self.shared.position.load(Ordering::Acquire))
    }

    /// How each view stands.
    ///
    /// # Errors
    /// When the file cannot be read; so for every query.
    pub async fn status(&self) -> Result<AsOf<Vec<ViewStatus>>, ViewError> {
        self.ask(query::status).await
    }

    /// A digest of every row of every derived table: the same for the same log and rules, however
    /// the views came about. Reads all of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn content_digest(&self) -> Result<AsOf<Digest>, ViewError> {
        self.ask_long(crate::content::digest).await
    }

    /// One case, for who may see everything.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn case_row(&self, case: CaseId) -> Result<AsOf<Option<CaseRow>>, ViewError> {
        self.case_row_for(&Access::Everything, case).await
    }

    /// One case, if this asker may see it: what may not be seen and what is not there look alike.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn case_row_for(
        &self,
        access: &Access,
        case: CaseId,
    ) -> Result<AsOf<Option<CaseRow>>, ViewError> {
        let access = access.clone();
        self.ask(move |c| cases::one(c, &access, case)).await
    }

    /// The stream of a case.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn case_stream(&self, case: CaseId) -> Result<AsOf<Option<String>>, ViewError> {
        let row = self.case_row(case).await?;
        Ok(AsOf { value: row.value.map(|r| r.stream), position: row.position })
    }

    /// A page of cases, newest filing first.
    ///
    /// # Errors
    /// [`ViewError::PageToken`] for a token of another query; when the file cannot be read.
    pub async fn list_cases(
        &self,
        access: &Access,
        filter: &CaseFilter,
        page: &PageRequest,
    ) -> Result<AsOf<Paged<CaseRow>>, ViewError> {
        let (access, filter, page) = (access.clone(), filter.clone(), page.clone());
        self.ask(move |c| cases::list(c, &access, &filter, &page)).await
    }

    /// Cases found by a key, newest filing first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn search(
        &self,
        access: &Access,
        key: &SearchKey,
        limit: usize,
    ) -> Result<AsOf<Vec<CaseRow>>, ViewError> {
        let (access, key) = (access.clone(), key.clone());
        let index = Arc::clone(&self.shared.index);
        self.ask(move |c| cases::search(c, &access, &key, limit, &*index)).await
    }

    /// A page of a queue of open cases: the earliest due date first, cases without one last.
    ///
    /// # Errors
    /// [`ViewError::PageToken`] for a token of another query; when the file cannot be read.
    pub async fn worklist(
        &self,
        access: &Access,
        query: &WorklistQuery,
        today: Date,
        page: &PageRequest,
    ) -> Result<AsOf<Paged<CaseRow>>, ViewError> {
        let (access, query, page) = (access.clone(), query.clone(), page.clone());
        self.ask(move |c| worklist::list(c, &access, &query, today, &page)).await
    }

    /// The counts of an office; zero for an office beyond the access, and for accounts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn counts(
        &self,
        access: &Access,
        office: &OfficeId,
        officer: Option<&OfficerId>,
        today: Date,
    ) -> Result<AsOf<Counts>, ViewError> {
        let (access, office, officer) = (access.clone(), office.clone(), officer.cloned());
        self.ask(move |c| worklist::counts(c, &access, &office, officer.as_ref(), today)).await
    }

    /// A page of the steps of a case, oldest first. Who may see the case is for the caller to ask
    /// first, see [`Views::case_row_for`].
    ///
    /// # Errors
    /// [`ViewError::PageToken`] for a token of another query; when the file cannot be read.
    pub async fn timeline(
        &self,
        case: CaseId,
        include_internal: bool,
        page: &PageRequest,
    ) -> Result<AsOf<Paged<TimelineRow>>, ViewError> {
        let page = page.clone();
        self.ask(move |c| timeline::list(c, case, include_internal, &page)).await
    }

    /// A page of a year's registrations, newest first, perhaps of one day only.
    ///
    /// # Errors
    /// [`ViewError::PageToken`] for a token of another query; when the file cannot be read.
    pub async fn register_list(
        &self,
        year: i16,
        on: Option<Date>,
        page: &PageRequest,
    ) -> Result<AsOf<Paged<RegistrationRow>>, ViewError> {
        let page = page.clone();
        self.ask(move |c| register::list(c, year, on, &page)).await
    }

    /// One registration, annulled or not.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn registration(
        &self,
        number: ProtocolNumber,
    ) -> Result<AsOf<Option<RegistrationRow>>, ViewError> {
        self.ask(move |c| register::one(c, number)).await
    }

    /// All registrations of a day by number: what the daily register lists.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn registrations_of_day(
        &self,
        day: Date,
    ) -> Result<AsOf<Vec<RegistrationRow>>, ViewError> {
        self.ask_long(move |c| register::of_day(c, day)).await
    }

    /// The last protocol number given out up to and including a day, within its year.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn last_number_to(&self, day: Date) -> Result<AsOf<Option<u64>>, ViewError> {
        self.ask(move |c| register::last_to(c, day)).await
    }

    /// Running terms that ended before a day and whose expiry is not on record, oldest first; of
    /// closed cases too. A term that is still here after `ExpireTerm` was refused comes again.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn due_terms(
        &self,
        before: Date,
        limit: usize,
    ) -> Result<AsOf<Vec<DueTerm>>, ViewError> {
        self.ask(move |c| deadlines::due(c, before, limit)).await
    }

    /// The kinds of case that there are, by procedure.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn kinds(&self) -> Result<AsOf<Vec<(String, String)>>, ViewError> {
        self.ask(disposal::kinds).await
    }

    /// Cases of a kind that ended before a day, that no hold keeps and nobody proposed to erase.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn ended_before(
        &self,
        procedure: &str,
        kind: &str,
        before: Date,
        limit: usize,
    ) -> Result<AsOf<Vec<DisposalRow>>, ViewError> {
        let (procedure, kind) = (procedure.to_owned(), kind.to_owned());
        self.ask(move |c| disposal::ended_before(c, &procedure, &kind, before, limit)).await
    }

    /// Cases at a stage of their erasure, after a row's key.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn disposals(
        &self,
        stage: DisposalStage,
        after: i64,
        limit: usize,
    ) -> Result<AsOf<Vec<DisposalRow>>, ViewError> {
        self.ask(move |c| disposal::at(c, stage, after, limit)).await
    }

    /// The earliest end, on or after a day, of a running term whose expiry is not on record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn next_end(&self, from: Date) -> Result<AsOf<Option<Date>>, ViewError> {
        self.ask(move |c| deadlines::next_end(c, from)).await
    }

    /// How long cases took, one row a procedure and kind, for cases closed in these months (the
    /// day of the dates is ignored). Open counts are of now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn statistics(
        &self,
        procedure: Option<&str>,
        from: Option<Date>,
        to: Option<Date>,
    ) -> Result<AsOf<Vec<StatRow>>, ViewError> {
        let procedure = procedure.map(str::to_owned);
        self.ask_long(move |c| statistics::rows(c, procedure.as_deref(), from, to)).await
    }

    /// Every call, the newest school year first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn calls(&self) -> Result<AsOf<Vec<CallRow>>, ViewError> {
        self.ask(school::calls).await
    }

    /// Calls for which the clock has something to do on or before a day.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn due_calls(&self, on: Date) -> Result<AsOf<Vec<CallId>>, ViewError> {
        self.ask(move |c| school::due(c, on)).await
    }

    /// The first day after a day on which the clock has something to do for a call.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn next_call_day(&self, after: Date) -> Result<AsOf<Option<Date>>, ViewError> {
        self.ask(move |c| school::next_on(c, after)).await
    }

    /// The applications of a call, ended ones too.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn call_applications(&self, call: CallId) -> Result<AsOf<Vec<CaseId>>, ViewError> {
        self.ask(move |c| school::applications(c, call)).await
    }

    /// The lists of a call with places and counts.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn call_lists(&self, call: CallId) -> Result<AsOf<Vec<ListRow>>, ViewError> {
        self.ask(move |c| school::lists(c, call)).await
    }

    /// The offers of a call that wait for an answer, the first due first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn call_offers(&self, call: CallId) -> Result<AsOf<Vec<OfferRow>>, ViewError> {
        self.ask(move |c| school::offers(c, call)).await
    }

    /// A page of one list of a published ranking, best first.
    ///
    /// # Errors
    /// [`ViewError::PageToken`] for a token of another query; when the file cannot be read.
    pub async fn call_ranks(
        &self,
        call: CallId,
        stage: &str,
        list: &str,
        page: &PageRequest,
    ) -> Result<AsOf<Paged<RankRow>>, ViewError> {
        let (stage, list, page) = (stage.to_owned(), list.to_owned(), page.clone());
        self.ask(move |c| school::ranks(c, call, &stage, &list, &page)).await
    }
}

fn snapshot<T>(
    c: &Connection,
    query: impl FnOnce(&Connection) -> Result<T, ViewError>,
) -> Result<AsOf<T>, ViewError> {
    in_snapshot(c, |c| {
        let position = query::position(c)?;
        let value = query(c)?;
        Ok(AsOf { value, position })
    })?
}

/// The writer of a file and its readers.
fn files(
    path: &Path,
    options: &ViewsOptions,
    index: &Arc<dyn BlindIndex>,
) -> Result<(Writer, Generation), ViewError> {
    let connection = schema::open(path, Mode::Live, options.cache_kib)?;
    let writer = Writer::new(connection, options.cached_cases, Arc::clone(index))?;
    Ok((writer, Generation::open(path, options)?))
}
