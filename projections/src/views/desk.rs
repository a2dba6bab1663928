//! What the handle reaches of the desk: saved views and how far processes are, which no rebuild
//! makes and none loses.

use pratica_store::Position;

use super::Views;
use crate::desk::Desk;
use crate::error::ViewError;
use crate::types::SavedView;

impl Views {
    /// Runs something over the desk on a reader's thread: it may flush, and async code must not.
    async fn at_desk<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Desk) -> Result<T, ViewError> + Send + 'static,
    ) -> Result<T, ViewError> {
        let desk = self.shared.desk.clone();
        self.shared.generation().pool()?.run(move |_| run(&desk)).await?
    }

    /// Saves a view of an account; one of the same name is replaced.
    ///
    /// # Errors
    /// When the desk cannot be written.
    pub async fn save_view(&self, account: &str, view: &SavedView) -> Result<(), ViewError> {
        let (account, view) = (account.to_owned(), view.clone());
        self.at_desk(move |desk| desk.save(&account, &view)).await
    }

    /// An account's saved views, by name.
    ///
    /// # Errors
    /// When the desk cannot be read.
    pub async fn saved_views(&self, account: &str) -> Result<Vec<SavedView>, ViewError> {
        let account = account.to_owned();
        self.at_desk(move |desk| desk.list(&account)).await
    }

    /// One saved view.
    ///
    /// # Errors
    /// When the desk cannot be read.
    pub async fn saved_view(
        &self,
        account: &str,
        name: &str,
    ) -> Result<Option<SavedView>, ViewError> {
        let (account, name) = (account.to_owned(), name.to_owned());
        self.at_desk(move |desk| desk.get(&account, &name)).await
    }

    /// Drops a saved view; says whether there was one.
    ///
    /// # Errors
    /// When the desk cannot be written.
    pub async fn delete_view(&self, account: &str, name: &str) -> Result<bool, ViewError> {
        let (account, name) = (account.to_owned(), name.to_owned());
        self.at_desk(move |desk| desk.delete(&account, &name)).await
    }

    /// How far a process is; the start if it never said.
    ///
    /// # Errors
    /// When the desk cannot be read.
    pub async fn checkpoint(&self, process: &'static str) -> Result<Position, ViewError> {
        self.at_desk(move |desk| desk.checkpoint(process)).await
    }

    /// Notes how far a process is.
    ///
    /// # Errors
    /// When the desk cannot be written.
    pub async fn keep_checkpoint(
        &self,
        process: &'static str,
        position: Position,
    ) -> Result<(), ViewError> {
        self.at_desk(move |desk| desk.keep_checkpoint(process, position)).await
    }
}
