//! The commands and views of school applications.

use super::Shared;
use super::shared::{on, opening};
use crate::app::{AppError, load, policy};
use crate::grpc::convert::enrolment as read;
use crate::grpc::convert::{Fields, date_message};
use crate::grpc::status::status;
use crate::messages::{Facts, Language, plain, text};
use pratica_domain::case::{Procedure, TermKey};
use pratica_domain::ids::{CallId, CaseId};
use pratica_domain::ranking::{Deciding, Document, ListId};
use pratica_domain::school::call::Call;
use pratica_domain::school::enrolment::{Application, CallView, OFFER, OfferStanding};
use pratica_domain::school::score::Proof;
use pratica_domain::term::rome_date;
use pratica_domain::{Case, ProcedureState};
use pratica_proto::enrolment::v1::enrolment_service_server::EnrolmentService;
use pratica_proto::enrolment::v1::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::{Request, Response, Status};

opening!(FileApplicationRequest);

/// Writes one rpc a command: those that read the case's call, and those that do not.
macro_rules! rpcs {
    (
        with_call: $( $crpc:ident : $crequest:ident => $cresponse:ident ),+ ;
        plain: $( $rpc:ident : $request:ident => $response:ident ),+ ;
        $($own:tt)*
    ) => {
        on!(case_id: $( $crequest ),+ , $( $request ),+);

        #[tonic::async_trait]
        impl EnrolmentService for Shared {
            $( async fn $crpc(
                &self,
                request: Request<$crequest>,
            ) -> Result<Response<$cresponse>, Status> {
                let m = request.get_ref();
                let call = self.call_of_case(&m.comune, &m.case_id).await.map_err(status)?;
                let outcome = self
                    .command(request, stringify!($crpc), None, |message, fields, _, _| {
                        // Without a call the case is no application: the command itself says so.
                        let Some(call) = call else {
                            fields.refuse("case_id", "must be a school application that one may see");
                            return None;
                        };
                        read::$crpc(message, fields, call).map(Into::into)
                    })
                    .await?;
                Ok(Response::new($cresponse { outcome: Some(outcome) }))
            } )+
            $( async fn $rpc(
                &self,
                request: Request<$request>,
            ) -> Result<Response<$response>, Status> {
                let outcome = self
                    .command(request, stringify!($rpc), None, |message, fields, asking, _| {
                        read::$rpc(message, fields, asking).map(Into::into)
                    })
                    .await?;
                Ok(Response::new($response { outcome: Some(outcome) }))
            } )+
            $($own)*
        }
    };
}

rpcs! {
    with_call:
    amend_application: AmendApplicationRequest => AmendApplicationResponse,
    complete_application: CompleteApplicationRequest => CompleteApplicationResponse,
    score_application: ScoreApplicationRequest => ScoreApplicationResponse,
    answer_observation: AnswerObservationRequest => AnswerObservationResponse,
    set_fee: SetFeeRequest => SetFeeResponse;
    plain:
    admit_application: AdmitApplicationRequest => AdmitApplicationResponse,
    exclude_application: ExcludeApplicationRequest => ExcludeApplicationResponse,
    record_isee: RecordIseeRequest => RecordIseeResponse,
    file_observation: FileObservationRequest => FileObservationResponse,
    accept_offer: AcceptOfferRequest => AcceptOfferResponse,
    renounce_offer: RenounceOfferRequest => RenounceOfferResponse,
    record_vaccines: RecordVaccinesRequest => RecordVaccinesResponse,
    invite_vaccine_proof: InviteVaccineProofRequest => InviteVaccineProofResponse,
    file_vaccine_proof: FileVaccineProofRequest => FileVaccineProofResponse,
    start_attendance: StartAttendanceRequest => StartAttendanceResponse,
    leave_place: LeavePlaceRequest => LeavePlaceResponse,
    declare_loss: DeclareLossRequest => DeclareLossResponse;

    async fn file_application(
        &self,
        request: Request<FileApplicationRequest>,
    ) -> Result<Response<FileApplicationResponse>, Status> {
        let m = request.get_ref();
        let call = self.call_named(&m.comune, &m.call_id).await.map_err(status)?;
        let outcome = self
            .command(
                request,
                "file_application",
                Some(Procedure::Enrolment),
                |message, fields, asking, open| {
                    let office = open.town.settings.office(Procedure::Enrolment).ok()?;
                    let now = open.town.clock.now();
                    let Some(call) = call else {
                        fields.refuse("call_id", "must be a call of this comune that is published");
                        return None;
                    };
                    read::file_application(message, fields, asking, call, office, now)
                        .map(Into::into)
                },
            )
            .await?;
        Ok(Response::new(FileApplicationResponse { outcome: Some(outcome) }))
    }

    async fn get_position(
        &self,
        request: Request<GetPositionRequest>,
    ) -> Result<Response<GetPositionResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let (id, case) = self.application(&call, open, &m.case_id).await?;
            let application = application_of(&case).ok_or(AppError::NotFound("application"))?;
            let of = open.school.call(application.pinned.call).await?.unwrap_or_default();
            let deadlines = offer_days(open, &case)?;
            Ok(position(id, application, &of, &deadlines, call.language(&m.language)))
        };
        answer.await.map(Response::new).map_err(status)
    }

    async fn get_fee_notice(
        &self,
        request: Request<GetFeeNoticeRequest>,
    ) -> Result<Response<GetFeeNoticeResponse>, Status> {
        let (call, m) = self.open(request)?;
        let answer = async {
            let open = self.town(&call, &m.comune)?;
            let (_, case) = self.application(&call, open, &m.case_id).await?;
            let application = application_of(&case).ok_or(AppError::NotFound("application"))?;
            let (cents, formula) = application.fee.as_ref().ok_or(AppError::NotFound("fee"))?;
            let language = call.language(&m.language);
            let mut facts = Facts::new();
            let euros = format!("{}.{:02}", cents.value / 100, cents.value % 100);
            facts.insert("euros".to_owned(), euros);
            facts.insert("formula".to_owned(), formula.clone());
            Ok(GetFeeNoticeResponse {
                monthly_cents: cents.value,
                formula: formula.clone(),
                isee_protocol: application
                    .isee
                    .as_ref()
                    .filter(|i| !i.value.with_omissions)
                    .map(|i| i.value.protocol.clone())
                    .unwrap_or_default(),
                deposit_cents: application.pinned.deposit_cents,
                text: text(language, "school.fee_notice", &facts),
            })
        };
        answer.await.map(Response::new).map_err(status)
    }
}

fn application_of(case: &Case) -> Option<&Application> {
    match &case.procedure {
        ProcedureState::Enrolment(state) => state.application(),
        _ => None,
    }
}

/// The last day of each open offer, by its clock.
fn offer_days(
    open: &crate::app::house::Open,
    case: &Case,
) -> Result<BTreeMap<String, jiff::civil::Date>, AppError> {
    let Some(rules) = open.town.rules.book.version(case.rules_version()) else {
        return Ok(BTreeMap::new());
    };
    let fault = |e: pratica_domain::term::TermError| AppError::Fault {
        doing: "reckoning a term",
        source: Box::new(e),
        transient: false,
    };
    let terms = case.file.terms.reckon_all(rules, &open.town.rules.calendar).map_err(fault)?;
    let of_offer = |key: &TermKey| (key.rule().as_str() == OFFER).then(|| key.entry()).flatten();
    Ok(terms
        .iter()
        .filter_map(|t| Some((of_offer(&t.key)?.to_string(), t.reckoning.end?)))
        .collect())
}

impl Shared {
    /// The call that a request names; none if it is not there.
    async fn call_named(&self, comune: &str, call: &str) -> Result<Option<CallView>, AppError> {
        let open = comune.parse().ok().and_then(|c| self.house.get(&c));
        let (Some(open), Ok(id)) = (open, call.parse::<CallId>()) else { return Ok(None) };
        match open.school.view(id).await {
            Ok(view) => Ok(Some(view)),
            Err(AppError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The call of a case; none if the case is no application. Who may see the case is asked by
    /// the command that follows.
    async fn call_of_case(&self, comune: &str, case: &str) -> Result<Option<CallView>, AppError> {
        let open = comune.parse().ok().and_then(|c| self.house.get(&c));
        let (Some(open), Ok(id)) = (open, case.parse::<CaseId>()) else { return Ok(None) };
        let Some(case) = load::case(&open.town, id).await? else { return Ok(None) };
        let Some(application) = application_of(&case) else { return Ok(None) };
        open.school.view(application.pinned.call).await.map(Some)
    }

    /// An application that the caller may see.
    async fn application(
        &self,
        call: &super::shared::Call,
        open: &crate::app::house::Open,
        id: &str,
    ) -> Result<(CaseId, Arc<Case>), AppError> {
        let mut fields = Fields::default();
        let id = fields.parse::<CaseId>("case_id", id);
        let id = fields.finish(id)?;
        let hidden = if call.principal.role == pratica_domain::Role::Citizen {
            AppError::Denied
        } else {
            AppError::NotFound("case")
        };
        let Some(case) = load::current(&open.town, id).await? else { return Err(hidden) };
        let today = rome_date(open.town.clock.now());
        if policy::may_see(&call.principal, &case, today) { Ok((id, case)) } else { Err(hidden) }
    }
}

fn position(
    id: CaseId,
    application: &Application,
    call: &Call,
    deadlines: &BTreeMap<String, jiff::civil::Date>,
    language: Language,
) -> GetPositionResponse {
    let published = call.last_ranking();
    let document = published.and_then(|p| p.document.as_deref());
    let place = document.and_then(|d| d.input.find(id));
    let positions = match (document, place) {
        (Some(document), Some(place)) => {
            let choices = &document.input.applications()[place].choices;
            choices
                .iter()
                .map(|c| {
                    let list = c.list as usize;
                    in_list(document, call, place, list, &c.values, language)
                })
                .collect()
        }
        _ => Vec::new(),
    };
    let standing = application.standing.as_ref().map(|s| &s.value);
    GetPositionResponse {
        stage: published
            .map(|_| if call.definitive.is_some() { "definitive" } else { "provisional" })
            .unwrap_or_default()
            .to_owned(),
        sha256: published.map(|p| p.facts.sha256.clone()).unwrap_or_default(),
        positions,
        offers: application
            .offers
            .iter()
            .map(|(offer, o)| OfferView {
                offer_id: offer.to_string(),
                school: o.school.to_string(),
                state: match o.standing {
                    OfferStanding::Open => "open",
                    OfferStanding::Accepted => "accepted",
                    OfferStanding::Ended => "ended",
                }
                .to_owned(),
                offer_date: Some(date_message(o.offered_on)),
                due_date: deadlines.get(&offer.to_string()).copied().map(date_message),
            })
            .collect(),
        observations: application
            .observations
            .iter()
            .map(|(observation, o)| ObservationView {
                observation_id: observation.to_string(),
                file_date: Some(date_message(o.filed_on)),
                state: match o.accepted {
                    None => "open",
                    Some(true) => "accepted",
                    Some(false) => "rejected",
                }
                .to_owned(),
            })
            .collect(),
        scores: standing.iter().flat_map(|s| &s.scores).map(score).collect(),
        not_counted: standing.map(|s| s.not_counted.clone()).unwrap_or_default(),
        evidence: match (document, place) {
            (Some(d), Some(place)) => d.input.applications()[place].evidence.clone(),
            _ => String::new(),
        },
    }
}

fn score(score: &pratica_domain::school::Score) -> ScoreView {
    let (statement_revision, document_id) = match &score.proof {
        Proof::Statement(revision) => (*revision, String::new()),
        Proof::Document(document) => (0, document.to_string()),
    };
    ScoreView {
        criterion: score.criterion.clone(),
        group: score.group.clone(),
        school: score.school.to_string(),
        points: score.points,
        statement_revision,
        document_id,
    }
}

/// Why an application stands where it stands in one list: by which key the one above is above, and
/// how many are above by each.
fn in_list(
    document: &Document,
    call: &Call,
    place: usize,
    list: usize,
    own: &[i64],
    language: Language,
) -> ListPosition {
    let rows = &document.ranking.orders[list];
    let id: &ListId = &document.input.lists()[list].id;
    let at = rows.iter().position(|r| r.application as usize == place).unwrap_or_default();
    let keys = document.input.keys();
    let values = |n: usize| {
        let row = &rows[n];
        &document.input.applications()[row.application as usize].choices[row.choice as usize].values
    };
    let differ = |above: &[i64]| above.iter().zip(own).position(|(a, o)| a != o);
    let mut above_by_key: Vec<u32> = vec![0; keys.len() + 1];
    for n in 0..at {
        above_by_key[differ(values(n)).unwrap_or(keys.len())] += 1;
    }
    let name = |key: usize| keys.get(key).map_or("number", |k| k.name.as_str()).to_owned();
    let decided = at.checked_sub(1).map(|above| match rows[above].before_next {
        Deciding::Key(key) => key as usize,
        Deciding::Number | Deciding::Last => keys.len(),
    });
    let value = |values: &[i64]| decided.and_then(|key| values.get(key)).copied().unwrap_or(0);
    let waiting_before = if call.definitive.is_some() {
        let rank = u32::try_from(at + 1).unwrap_or(u32::MAX);
        call.scroll.line(document, id).take_while(|(r, _)| *r < rank).count()
    } else {
        at
    };
    let own_id = document.input.applications()[place].id;
    let mut facts = Facts::new();
    facts.insert("rank".to_owned(), (at + 1).to_string());
    facts.insert("of".to_owned(), rows.len().to_string());
    facts.insert("list".to_owned(), id.to_string());
    let reason = match decided {
        None => text(language, "school.first", &facts),
        Some(key) => {
            let title = plain(language, &format!("school_key.{}", family(&name(key))));
            facts.insert("key".to_owned(), title);
            facts.insert("above".to_owned(), value(values(at - 1)).to_string());
            facts.insert("own".to_owned(), value(own).to_string());
            text(language, "school.behind", &facts)
        }
    };
    let seat = document.ranking.seats[place];
    ListPosition {
        list: id.to_string(),
        rank: u32::try_from(at + 1).unwrap_or(u32::MAX),
        of: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        waiting_before: u32::try_from(waiting_before).unwrap_or(u32::MAX),
        decided_by: decided.map(name).unwrap_or_default(),
        value_above: at.checked_sub(1).map(|n| value(values(n))).unwrap_or_default(),
        own_value: value(own),
        reason,
        above_by_key: above_by_key
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(|(key, count)| KeyCount { key: name(key), count: *count })
            .collect(),
        assigned: seat.is_some_and(|s| s.list as usize == list),
        waits: call.scroll.waits(document, own_id, id),
    }
}

/// The kind of a key, for its words: `score.main` is a score.
fn family(key: &str) -> &str {
    key.split('.').next().unwrap_or(key)
}
