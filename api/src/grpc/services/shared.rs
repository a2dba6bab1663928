//! What every service does the same way: who calls, which comune, one command, one position.

use crate::app::handler::{CommandRequest, Target, execute, permitted, with_numbers};
use crate::app::house::{House, Open};
use crate::app::policy::{self, Area};
use crate::app::{Access as CaseAccess, AppError, Principal, Town, Violation};
use crate::cli::commands::RPCS;
use crate::grpc::auth::Method;
use crate::grpc::convert::casework::Asking;
use crate::grpc::convert::{Fields, language};
use crate::grpc::show;
use crate::grpc::status::status;
use crate::messages::Language;
use jiff::civil::Date;
use pratica_domain::Command;
use pratica_domain::ids::{CaseId, ComuneId};
use pratica_domain::term::rome_date;
use pratica_projections::ViewError;
use pratica_proto::common::v1::CommandOutcome;
use pratica_store::Position;
use pratica_store::access::Access;
use prost::Message;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

/// Commands that rest on nothing that the case says, and come from who may not read it.
const WITHOUT_ETAG: &[&str] = &["place_hold"];

/// What all services share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) house: Arc<House>,
}

/// The head that every command's message has.
pub(crate) struct Head {
    pub(crate) comune: String,
    /// The case or the call that it is of; none when it opens one.
    pub(crate) id: Option<String>,
    pub(crate) request_id: String,
    pub(crate) etag: String,
    pub(crate) validate_only: bool,
}

/// A command's message: its head, and its content without what may differ between retries.
pub(crate) trait CommandMessage: Message + Clone + Default {
    fn head(&self) -> Head;
    /// The content that makes two requests the same: without etag and `validate_only`.
    fn content(&self) -> Self;
}

/// Implements [`CommandMessage`] for messages on what exists, named by this field.
macro_rules! on {
    ($id:ident: $($message:ty),+ $(,)?) => { $(
        impl $crate::grpc::services::shared::CommandMessage for $message {
            fn head(&self) -> $crate::grpc::services::shared::Head {
                $crate::grpc::services::shared::Head {
                    comune: self.comune.clone(),
                    id: Some(self.$id.clone()),
                    request_id: self.request_id.clone(),
                    etag: self.etag.clone(),
                    validate_only: self.validate_only,
                }
            }
            fn content(&self) -> Self {
                Self { etag: String::new(), validate_only: false, ..self.clone() }
            }
        }
    )+ };
}
pub(crate) use on;

/// Implements [`CommandMessage`] for messages that open a case or a call.
macro_rules! opening {
    ($($message:ty),+ $(,)?) => { $(
        impl $crate::grpc::services::shared::CommandMessage for $message {
            fn head(&self) -> $crate::grpc::services::shared::Head {
                $crate::grpc::services::shared::Head {
                    comune: self.comune.clone(),
                    id: None,
                    request_id: self.request_id.clone(),
                    etag: String::new(),
                    validate_only: self.validate_only,
                }
            }
            fn content(&self) -> Self {
                Self { validate_only: false, ..self.clone() }
            }
        }
    )+ };
}
pub(crate) use opening;

/// Implements a service whose rpcs are commands on a case, each read by the function of its name; what
/// else the service has follows as it is.
macro_rules! rpcs {
    (
        $service:ident:
        $( $rpc:ident : $request:ident => $response:ident ),+ $(,)? ;
        $($own:tt)*
    ) => {
        $crate::grpc::services::shared::on!(case_id: $( $request ),+);

        #[tonic::async_trait]
        impl $service for Shared {
            $( async fn $rpc(
                &self,
                request: tonic::Request<$request>,
            ) -> Result<tonic::Response<$response>, tonic::Status> {
                let outcome = self
                    .command(request, stringify!($rpc), None, |message, fields, asking, _| {
                        read::$rpc(message, fields, asking).map(Into::into)
                    })
                    .await?;
                Ok(tonic::Response::new($response { outcome: Some(outcome) }))
            } )+
            $($own)*
        }
    };
}
pub(crate) use rpcs;

/// A call: who, and in which language.
pub(crate) struct Call {
    pub(crate) principal: Principal,
    pub(crate) metadata: MetadataMap,
    /// The method, such as `pratica.cases.v1.CasesService/GetCase`.
    pub(crate) method: String,
}

impl Call {
    pub(crate) fn language(&self, field: &str) -> Language {
        language(field, &self.metadata)
    }
}

impl Shared {
    /// Takes a request apart.
    pub(crate) fn open<M>(&self, request: Request<M>) -> Result<(Call, M), Status> {
        let (metadata, extensions, message) = request.into_parts();
        let principal = extensions
            .get::<Principal>()
            .cloned()
            .ok_or_else(|| Status::unauthenticated("no token was read"))?;
        let method = extensions.get::<Method>().map(|m| m.0.clone()).unwrap_or_default();
        Ok((Call { principal, metadata, method }, message))
    }

    /// The comune of a request. One that is not the token's is denied, existing or not.
    pub(crate) fn town(&self, call: &Call, comune: &str) -> Result<&Open, AppError> {
        let mut fields = Fields::default();
        let id = fields.parse::<ComuneId>("comune", comune);
        let id = fields.finish(id)?;
        if !call.principal.is_of(&id) {
            return Err(AppError::Denied);
        }
        self.house.get(&id).ok_or(AppError::NotFound("comune"))
    }

    /// As [`Shared::town`], for a role that may use an area.
    pub(crate) fn town_for(
        &self,
        call: &Call,
        comune: &str,
        area: Area,
    ) -> Result<&Open, AppError> {
        let open = self.town(call, comune)?;
        if policy::may_use(&call.principal, area) { Ok(open) } else { Err(AppError::Denied) }
    }

    /// The predicate over cases that is part of the caller's queries.
    pub(crate) fn access(&self, call: &Call, today: Date) -> Result<CaseAccess, AppError> {
        policy::case_access(&call.principal, today).ok_or(AppError::Denied)
    }

    /// Runs one command: every field violation at once, then the one path of commands.
    pub(crate) async fn command<M: CommandMessage>(
        &self,
        request: Request<M>,
        rpc: &'static str,
        opens: Option<pratica_domain::case::Procedure>,
        read: impl FnOnce(M, &mut Fields, &Asking<'_>, &Open) -> Option<Command>,
    ) -> Result<CommandOutcome, Status> {
        let (call, message) = self.open(request)?;
        let language = call.language("");
        self.run(&call, message, rpc, opens, read, language).await.map_err(status)
    }

    async fn run<M: CommandMessage>(
        &self,
        call: &Call,
        message: M,
        rpc: &'static str,
        opens: Option<pratica_domain::case::Procedure>,
        read: impl FnOnce(M, &mut Fields, &Asking<'_>, &Open) -> Option<Command>,
        language: Language,
    ) -> Result<CommandOutcome, AppError> {
        let head = message.head();
        let open = self.town(call, &head.comune)?;
        let town = &open.town;
        let known = RPCS.iter().find(|(_, method)| *method == call.method);
        let case = head.id.as_deref().map(str::parse::<CaseId>);
        if let Some(Ok(case)) = case {
            town.catch_up(case, &head.etag).await?;
        }
        if let (Some((command, _)), None | Some(Ok(_))) = (known, &case) {
            // Permission first: who may not send it does not even learn what it should hold.
            permitted(town, &call.principal, command, case.and_then(Result::ok)).await?;
        }
        let fingerprint = fingerprint(town, &call.principal, rpc, &message.content());
        let mut fields = Fields::default();
        let request_id = fields.request_id(&head.request_id);
        let target = match (&head.id, opens) {
            (Some(id), _) => fields.parse::<CaseId>("case_id", id).map(Target::Existing),
            (None, Some(procedure)) => Some(Target::New(procedure)),
            (None, None) => None,
        };
        let blind = WITHOUT_ETAG.contains(&rpc);
        if head.id.is_some() && head.etag.is_empty() && !head.validate_only && !blind {
            fields.refuse("etag", "required: the etag that the case was last read with");
        }
        let today = rome_date(town.clock.now());
        let asking = Asking { principal: &call.principal, today };
        let command = read(message, &mut fields, &asking, open);
        let ready = match (request_id, target, command) {
            (Some(request_id), Some(target), Some(command)) => Some((request_id, target, command)),
            _ => None,
        };
        let (request_id, target, command) = fields.finish(ready)?;
        let request = CommandRequest {
            principal: &call.principal,
            target,
            command,
            request_id,
            fingerprint,
            etag: (!head.etag.is_empty()).then_some(head.etag),
            validate_only: head.validate_only,
            causation_id: None,
            correlation_id: None,
        };
        let mut outcome = execute(town, request).await?;
        if !head.validate_only {
            outcome = with_numbers(town, outcome).await?;
        }
        show::outcome(town, &outcome, language)
    }
}

/// What makes two requests with one id the same: who asks, which rpc, and the content.
/// Keyed, so that who guesses a content does not find it in the log.
pub(crate) fn fingerprint<M: Message>(
    town: &Town,
    principal: &Principal,
    rpc: &str,
    content: &M,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(principal.account.as_str());
    hash.update([0]);
    hash.update(rpc);
    hash.update([0]);
    hash.update(content.encode_to_vec());
    town.vault.fingerprint(hash.finalize().into())
}

/// Records that personal data of these cases was read, or looked for.
pub(crate) fn accessed(
    call: &Call,
    open: &Open,
    cases: impl IntoIterator<Item = CaseId>,
    detail: String,
) {
    let Some(right) = policy::reads_by(&call.principal) else { return };
    open.access.record(Access {
        at: open.town.clock.now(),
        account: call.principal.account.to_string(),
        role: call.principal.role.as_str().to_owned(),
        right: right.to_owned(),
        method: call.method.clone(),
        detail,
        cases: cases.into_iter().map(|case| case.0).collect(),
    });
}

/// Waits for `min_position`; 0 waits for nothing.
pub(crate) async fn at_least(open: &Open, min_position: u64) -> Result<(), AppError> {
    if min_position == 0 {
        return Ok(());
    }
    given(open, min_position).await?;
    open.town.wait_for_views(Position::new(min_position)).await
}

/// Refuses a position that nobody can have been given. In a cluster another node may have given one
/// that this node has not reached: then it is worth waiting for.
pub(crate) async fn given(open: &Open, min_position: u64) -> Result<(), AppError> {
    let head = open.town.log.head().await.map_err(|e| AppError::store("reading the head", e))?;
    if min_position > head.get() && open.town.cluster.is_none() {
        let rule = format!("is beyond the log, whose last position is {}", head.get());
        return Err(AppError::Invalid(vec![Violation::new("min_position", rule)]));
    }
    Ok(())
}

/// The size of a page within its bounds.
pub(crate) fn page_size(asked: i32, default: usize, most: usize) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => default,
        Ok(n) => n.min(most),
    }
}

/// A failure of the views; a page token of another query is the caller's to mend.
pub(crate) fn view_error(error: ViewError) -> AppError {
    match error {
        ViewError::PageToken => AppError::Invalid(vec![Violation::new(
            "page_token",
            "belongs to another query: begin again without it",
        )]),
        error => AppError::views(error),
    }
}
