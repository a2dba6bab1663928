//! Who calls and which log they mean: Basic credentials whose login is the comune and whose password
//! is a token, as every official client can send them; or a bearer token for a single comune.

use super::Shelf;
use crate::app::Principal;
use crate::app::policy::{Area, may_use};
use crate::grpc::auth::{Admit, Identity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use pratica_domain::Role;
use pratica_domain::ids::ComuneId;
use pratica_store::Vault;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::body::Body;
use tonic::{Request, Status};

/// The logs that are served.
pub(super) type Logs = Arc<BTreeMap<ComuneId, Shelf>>;

/// Who calls, and the log they mean.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) comune: ComuneId,
    pub(super) shelf: Shelf,
}

impl Caller {
    /// What gives pseudonyms for accounts; none for who may know accounts.
    pub(super) fn pseudonyms(&self) -> Option<&Vault> {
        self.shelf.vault.as_deref().filter(|_| self.principal.role == Role::Analyst)
    }

    /// Refuses who may only read.
    pub(super) fn may_append(&self) -> Result<(), Status> {
        if !may_use(&self.principal, Area::LogWriting) {
            return Err(denied("appending is for a migration identity"));
        }
        if !self.shelf.appendable {
            return Err(denied("this log is kept in a cluster: append there"));
        }
        Ok(())
    }
}

/// The caller of a request that came through the door.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    request.extensions().get().cloned().ok_or_else(|| Status::internal("no caller"))
}

/// A refusal as the clients know it.
pub(super) fn denied(text: &str) -> Status {
    super::convert::exception(Status::permission_denied(text), "access-denied")
}

/// The way to the logs: whose tokens are accepted, and what they may open.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) identity: Identity,
    pub(super) logs: Logs,
}

impl Admit for Entrance {
    async fn admit(&self, call: &mut http::Request<Body>) -> Result<Principal, Status> {
        let caller = enter(&self.identity, &self.logs, call.headers()).await?;
        let principal = caller.principal.clone();
        call.extensions_mut().insert(caller);
        Ok(principal)
    }
}

/// Who calls, and whether they may read the log they mean.
async fn enter(identity: &Identity, logs: &Logs, headers: &HeaderMap) -> Result<Caller, Status> {
    let (login, token) = credentials(headers)?;
    let principal = identity.principal(&token).await?;
    let comune = match login {
        Some(login) => login.parse().map_err(|_| unknown())?,
        None => the_only(&principal, logs)?,
    };
    // A comune that is not here and one that the token is not for are not told apart.
    if !principal.is_of(&comune) || !may_use(&principal, Area::Log) {
        return Err(denied("the token does not open the log of this comune"));
    }
    let shelf = logs.get(&comune).ok_or_else(unknown)?.clone();
    if principal.role == Role::Analyst && shelf.vault.is_none() {
        return Err(denied("this log has no pseudonyms for analysts"));
    }
    Ok(Caller { principal, comune, shelf })
}

fn unknown() -> Status {
    denied("the token does not open the log of this comune")
}

fn the_only(principal: &Principal, logs: &Logs) -> Result<ComuneId, Status> {
    let mut mine = logs.keys().filter(|comune| principal.is_of(comune));
    match (mine.next(), mine.next()) {
        (Some(comune), None) => Ok(comune.clone()),
        _ => Err(Status::unauthenticated(
            "several comuni are served here: name one as the login, with the token as its password",
        )),
    }
}

/// The login, where there is one, and the token.
fn credentials(headers: &HeaderMap) -> Result<(Option<String>, String), Status> {
    let refused = || {
        Status::unauthenticated(
            "every call needs credentials: the comune as login and a token as password",
        )
    };
    let header = headers.get("authorization").and_then(|v| v.to_str().ok()).ok_or_else(refused)?;
    let (scheme, rest) = header.split_once(' ').ok_or_else(refused)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok((None, rest.trim().to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(refused());
    }
    let decoded = STANDARD.decode(rest.trim()).map_err(|_| refused())?;
    let text = String::from_utf8(decoded).map_err(|_| refused())?;
    let (login, token) = text.split_once(':').ok_or_else(refused)?;
    Ok((Some(login.to_owned()), token.to_owned()))
}
