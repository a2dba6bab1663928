//! W2: clerks at work over gRPC while the views follow, beside an empty call.
//!
//! Each client takes one case after the other through the same steps: it files a declaration (and
//! gets its protocol number), assigns it, writes a note, registers it, adds an incoming document
//! (numbered too), writes two notes more and records the visit. Eight commands a case.

use crate::Size;
use crate::clients::{Authorised, authorised, call_nothing, closed_loop};
use crate::figures::{Rate, Times};
use crate::peers::{Appends, Peers};
use crate::place::{COMUNE, NOW, Place};
use crate::ready::Answers;
use crate::report::{Goal, Report};
use crate::serving;
use anyhow::Context as _;
use pratica_domain::Role;
use pratica_proto::cases::v1::casework_service_client::CaseworkServiceClient;
use pratica_proto::cases::v1::casework_service_server::CaseworkServiceServer;
use pratica_proto::cases::v1::{
    AddDocumentRequest, AddNoteRequest, AddNoteResponse, AssignCaseRequest,
};
use pratica_proto::common::v1::{Address, CommandOutcome, Direction, DocumentInput, Person};
use pratica_proto::google::r#type::Date;
use pratica_proto::residency::v1::residency_service_client::ResidencyServiceClient;
use pratica_proto::residency::v1::{
    DeclarationForm, DeclarationMember, FileDeclarationRequest, OccupationTitle,
    RecordVisitRequest, RegisterDeclarationRequest, ResidencyKind, VisitOutcome,
};
use std::time::Duration;
use tonic::service::Routes;
use uuid::Uuid;

const STEPS: u64 = 8;

pub(crate) async fn run(size: &Size, peers: &Peers, report: &mut Report) -> anyhow::Result<()> {
    let mut place = Place::open(&size.directory.join("w2"))?;
    let empty = serving::empty().await?;
    let (served, key) = serving::pratica(&mut place).await?;
    let slice = Duration::from_millis(size.slice_ms);
    let mut ours: Vec<Rate> = size.clients.iter().map(|_| Rate::default()).collect();
    let (mut nothing, mut alone) = (ours.clone(), ours.clone());
    let token = serving::token(&key, "officer.0", Role::Officer)?;
    let mut first = Clerk::new(0, authorised(&served.url, &token).await?);
    let note = first.first_note().await?;
    let (before, mut numbers) = (first.step, first.numbers);
    let answers = Answers::<CaseworkServiceServer<()>, AddNoteRequest, _>::new(note);
    let ready = serving::tonic(Routes::new(answers)).await?;
    let others = peers.start(&["umadb"], true, &size.directory, report)?;
    let mut others = Appends::of(others, &size.clients);
    for _ in 0..size.runs {
        for other in &mut others {
            other.run(&size.clients, size.slice_ms)?;
        }
        for (n, clients) in size.clients.iter().enumerate() {
            let (times, took) = call_nothing(&empty.url, *clients, slice).await?;
            nothing[n].add(times, took);
            let mut writers = Vec::new();
            for _ in 0..*clients {
                let mut writer = Clerk::new(0, authorised(&ready.url, &token).await?);
                (writer.case_id, writer.etag) = (first.case_id.clone(), first.etag.clone());
                writers.push(writer);
            }
            let (times, took, _) = closed_loop(writers, slice, |mut clerk| async move {
                let note = clerk.note();
                clerk.casework.add_note(note).await?;
                Ok(clerk)
            })
            .await?;
            alone[n].add(times, took);
            let mut connections = Vec::new();
            for client in 0..*clients {
                let token = serving::token(&key, &format!("officer.{client}"), Role::Officer)?;
                connections.push(authorised(&served.url, &token).await?);
            }
            let (times, took, given) = work(connections, slice).await?;
            ours[n].add(times, took);
            numbers += given;
        }
    }
    for (n, clients) in size.clients.iter().enumerate() {
        report.rate(&format!("commands, clients: {clients}"), &ours[n]);
        report.row(format!("empty call, clients: {clients}"), "/s", &nothing[n].per_second, None);
        report.ratio(
            &format!("commands over empty calls, clients: {clients}"),
            &ours[n].per_second,
            &nothing[n].per_second,
            (*clients == 64).then_some(Goal::AtLeast(0.5)),
        );
        let what = format!("a note's question with its answer ready, clients: {clients}");
        report.row(what.clone(), "/s", &alone[n].per_second, None);
        let what = format!("{what}, over empty calls");
        report.ratio(&what, &alone[n].per_second, &nothing[n].per_second, None);
    }
    for other in others {
        other.report("one plain append a call, clients", &size.clients, report)?;
    }
    let commands = before + ours.iter().map(|r| r.done).sum::<u64>();
    check(&place, 0, commands, numbers, report).await?;
    ready.stop().await?;
    served.stop().await?;
    empty.stop().await
}

/// Every command answered is in the log, beside what was there before, and the views are what a rebuild makes of it.
pub(crate) async fn check(
    place: &Place,
    before: u64,
    commands: u64,
    numbers: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let open = place.open_town()?;
    let town = &open.town;
    let verified = open.embedded.verify().await?;
    // A number costs two appends of the register's process: the register's and the case's.
    let expected = before + commands + 2 * numbers;
    anyhow::ensure!(
        verified.requests == expected,
        "{expected} requests were answered, {} are recorded",
        verified.requests
    );
    town.wait_for_views(verified.head).await?;
    let followed = town.views.content_digest().await?;
    let reader = std::sync::Arc::clone(&town.log) as std::sync::Arc<dyn pratica_store::EventReader>;
    town.views.rebuild(reader, &town.rules, |_, _| {}).await?;
    let rebuilt = town.views.content_digest().await?;
    anyhow::ensure!(followed.position == rebuilt.position, "the views are behind");
    anyhow::ensure!(followed.value == rebuilt.value, "the views differ from the log");
    let stats = open.embedded.stats();
    report.note(format!(
        "verified: {commands} commands and {numbers} protocol numbers are {} events in {} \
         commits; the views equal a rebuild",
        stats.events, stats.commits
    ));
    Ok(())
}

/// Lets clerks work for a while; how often, how long in all, and how many numbers were given.
pub(crate) async fn work(
    connections: Vec<Authorised>,
    slice: Duration,
) -> anyhow::Result<(Times, Duration, u64)> {
    let clerks: Vec<_> =
        connections.into_iter().enumerate().map(|(n, c)| Clerk::new(n, c)).collect();
    let (times, took, clerks) = closed_loop(clerks, slice, |mut clerk| async move {
        clerk.next().await?;
        Ok(clerk)
    })
    .await?;
    Ok((times, took, clerks.iter().map(|clerk| clerk.numbers).sum()))
}

/// One clerk with the case at hand.
pub(crate) struct Clerk {
    officer: String,
    residency: ResidencyServiceClient<Authorised>,
    casework: CaseworkServiceClient<Authorised>,
    pub(crate) case_id: String,
    pub(crate) etag: String,
    step: u64,
    pub(crate) numbers: u64,
}

impl Clerk {
    pub(crate) fn new(number: usize, connection: Authorised) -> Clerk {
        Clerk {
            officer: format!("officer.{number}"),
            residency: ResidencyServiceClient::new(connection.clone()),
            casework: CaseworkServiceClient::new(connection),
            case_id: String::new(),
            etag: String::new(),
            step: 0,
            numbers: 0,
        }
    }

    /// The next command.
    pub(crate) async fn next(&mut self) -> anyhow::Result<()> {
        let (comune, request_id) = (COMUNE.to_owned(), Uuid::new_v4().to_string());
        let (case_id, etag) = (self.case_id.clone(), self.etag.clone());
        let validate_only = false;
        let outcome = match self.step % STEPS {
            0 => self.residency.file_declaration(declaration()).await?.into_inner().outcome,
            1 => {
                let (office, officer) = ("anagrafe".to_owned(), self.officer.clone());
                let reason = String::new();
                let assign = AssignCaseRequest {
                    comune,
                    case_id,
                    request_id,
                    etag,
                    validate_only,
                    office,
                    officer,
                    reason,
                };
                self.casework.assign_case(assign).await?.into_inner().outcome
            }
            3 => {
                let register =
                    RegisterDeclarationRequest { comune, case_id, request_id, etag, validate_only };
                self.residency.register_declaration(register).await?.into_inner().outcome
            }
            4 => {
                let document = Some(DocumentInput {
                    kind: "lease".to_owned(),
                    media_type: "application/pdf".to_owned(),
                    size_bytes: 48_000,
                    sha256: format!("{:064x}", Uuid::new_v4().as_u128()),
                });
                let add = AddDocumentRequest {
                    comune,
                    case_id,
                    request_id,
                    etag,
                    validate_only,
                    document,
                    direction: Direction::Incoming.into(),
                    document_date: Some(Date { year: 2026, month: 3, day: 10 }),
                    replaces_document_id: String::new(),
                };
                self.casework.add_document(add).await?.into_inner().outcome
            }
            7 => {
                let visit = RecordVisitRequest {
                    comune,
                    case_id,
                    request_id,
                    etag,
                    validate_only,
                    visit_time: Some(NOW.parse().context("the visit's instant")?),
                    outcome: VisitOutcome::Present.into(),
                    report: "visit by the municipal police".to_owned(),
                };
                self.residency.record_visit(visit).await?.into_inner().outcome
            }
            _ => {
                let note = self.note();
                self.casework.add_note(note).await?.into_inner().outcome
            }
        };
        self.took(outcome)
    }

    /// Files a case and writes a note about it: the answer to that.
    async fn first_note(&mut self) -> anyhow::Result<AddNoteResponse> {
        self.next().await?;
        let note = self.note();
        let answer = self.casework.add_note(note).await?.into_inner();
        self.took(answer.outcome.clone())?;
        Ok(answer)
    }

    fn note(&self) -> AddNoteRequest {
        AddNoteRequest {
            comune: COMUNE.to_owned(),
            case_id: self.case_id.clone(),
            request_id: Uuid::new_v4().to_string(),
            etag: self.etag.clone(),
            validate_only: false,
            text: "Call with the applicant: second floor, no name on the bell.".to_owned(),
        }
    }

    fn took(&mut self, outcome: Option<CommandOutcome>) -> anyhow::Result<()> {
        let outcome = outcome.context("an answer without an outcome")?;
        anyhow::ensure!(!outcome.events.is_empty() && !outcome.replayed, "nothing was recorded");
        self.numbers += outcome.registrations.len() as u64;
        (self.case_id, self.etag) = (outcome.case_id, outcome.etag);
        self.step += 1;
        Ok(())
    }
}

pub(crate) fn declaration() -> FileDeclarationRequest {
    let member = DeclarationMember {
        person: Some(Person {
            given_name: "Anna".to_owned(),
            family_name: "Rossi".to_owned(),
            birth_date: Some(Date { year: 1980, month: 1, day: 1 }),
            ..Person::default()
        }),
        account: "citizen.rossi".to_owned(),
        signed: true,
        identity_copy: true,
        origin: "Collina".to_owned(),
        ..DeclarationMember::default()
    };
    let form = DeclarationForm {
        ministry_form: true,
        address: Some(Address {
            street: "Via dei Colli 7".to_owned(),
            postcode: "40100".to_owned(),
            municipality: "Collina".to_owned(),
            province: "BO".to_owned(),
        }),
        title: OccupationTitle::Lease.into(),
        title_details: "registered lease no. 1234".to_owned(),
        members: vec![member],
        ..DeclarationForm::default()
    };
    FileDeclarationRequest {
        comune: COMUNE.to_owned(),
        request_id: Uuid::new_v4().to_string(),
        kind: ResidencyKind::ChangeOfDwelling.into(),
        form: Some(form),
        channel: pratica_proto::common::v1::Channel::Counter.into(),
        ..FileDeclarationRequest::default()
    }
}
