//! Who may do and see what: one table, pure, in one place.

use jiff::civil::Date;
use pratica_domain::case::PartyRole;
use pratica_domain::ids::{ComuneId, OfficeId, OfficerId, SubjectId};
use pratica_domain::{Actor, Case, Role};
pub use pratica_projections::Access;
use std::collections::BTreeSet;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account: never a person's name or fiscal code.
    pub account: OfficerId,
    /// The role.
    pub role: Role,
    /// The comuni the token is for; empty means all of the installation.
    pub comuni: BTreeSet<ComuneId>,
    /// The offices of a member of staff.
    pub offices: BTreeSet<OfficeId>,
}

impl Principal {
    /// Pratica itself, as one of its processes.
    pub fn system(account: OfficerId) -> Self {
        Principal { account, role: Role::System, comuni: BTreeSet::new(), offices: BTreeSet::new() }
    }

    /// Whether the token is for this comune.
    pub fn is_of(&self, comune: &ComuneId) -> bool {
        self.comuni.is_empty() || self.comuni.contains(comune)
    }

    /// The actor that events name.
    pub fn actor(&self) -> Actor {
        Actor { id: self.account.clone(), role: self.role, on_behalf_of: None }
    }
}

/// What a caller is to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// There is no case yet.
    New,
    /// They take part in it, or act for who does.
    Party,
    /// Their office has it.
    OwnOffice,
    /// None of these.
    Stranger,
}

/// What the caller is to the case today.
pub fn relation(principal: &Principal, case: Option<&Case>, today: Date) -> Relation {
    let Some(case) = case else { return Relation::New };
    match principal.role {
        Role::Citizen if case.file.account_takes_part(principal.account.as_str(), today) => {
            Relation::Party
        }
        Role::Clerk | Role::Officer | Role::Head | Role::Service
            if principal.role == Role::Head
                || principal.role == Role::Service
                || case.file.office.as_ref().is_some_and(|o| principal.offices.contains(o)) =>
        {
            Relation::OwnOffice
        }
        _ => Relation::Stranger,
    }
}

/// For whom a citizen acts in a case: the one who gave them a power that is in force today.
pub fn acts_for(principal: &Principal, case: &Case, today: Date) -> Option<SubjectId> {
    if principal.role != Role::Citizen {
        return None;
    }
    let mine = |subject: &SubjectId| {
        case.file.parties.get(subject).is_some_and(|party| {
            party.role == PartyRole::Representative
                && party.account.as_deref() == Some(principal.account.as_str())
        })
    };
    let in_force = case.file.representations.values().find(|power| {
        mine(&power.agent) && !power.ended && power.until.is_none_or(|until| today <= until)
    });
    in_force.map(|power| power.principal)
}

/// The acts that decide a case or bind the comune: officers and heads only.
const ACTS: &[&str] = &[
    "residency.find_irreceivable",
    "residency.register",
    "residency.confirm",
    "residency.restore_position",
    "residency.register_ex_officio",
    "residency.cancel",
    "residency.open_ex_officio",
    "enrolment.exclude",
    "enrolment.answer_observation",
    "enrolment.declare_loss",
    "permit.find_irreceivable",
    "permit.declare_complex",
    "permit.apply_safeguards",
    "permit.end_safeguards",
    "permit.convene_conference",
    "permit.conclude_conference",
    "permit.issue",
    "permit.refuse",
    "permit.archive",
    "permit.answer_attestation",
    "permit.invoke_substitute",
    "permit.annul",
    "permit.determine_contribution",
    "permit.offset_contribution",
    "permit.grant_extension",
    "permit.refuse_extension",
    "permit.declare_lapse",
    "permit.transfer",
    "permit.order_conformation",
    "permit.prohibit",
    "case.send_notice",
    "case.reopen",
    "case.extend_term",
    "case.suspend_term",
    "case.name_responsible",
];

/// What a citizen may ask of a case they take part in.
const PARTY: &[&str] = &[
    "case.send_message",
    "case.add_document",
    "case.answer_request",
    "case.file_observations",
    "case.withdraw",
    "case.grant_representation",
    "case.end_representation",
    "enrolment.amend",
    "enrolment.complete",
    "enrolment.file_observation",
    "enrolment.accept",
    "enrolment.renounce",
    "enrolment.file_vaccine_proof",
    "enrolment.leave",
    "permit.answer_changes",
    "permit.request_attestation",
    "permit.start_works",
    "permit.finish_works",
    "permit.request_extension",
    "permit.report_usability",
    "permit.report_conformation",
];

/// What a workflow of the paperless office writes back.
const SERVICE: &[&str] = &[
    "case.add_document",
    "case.record_notice_receipt",
    "case.answer_request",
    "residency.declare",
    "enrolment.file",
    "enrolment.record_isee",
    "permit.file",
    "permit.answer_changes",
    "permit.record_opinion",
    "permit.record_determination",
    "permit.record_payment",
    "permit.publish",
];

/// What concerns the papers of a case and not what they say: for the head, the archivist and the
/// data-protection officer, of every case of the comune and without reading it.
const PAPERS: &[&str] = &["case.place_hold", "case.lift_hold", "case.propose_erasure"];

/// What the head of the offices has no part in.
const AUTHORISING: &[&str] = &["case.authorise_erasure"];

/// What only Pratica's own processes send.
const SYSTEM: &[&str] = &[
    "case.expire_term",
    "case.record_registration",
    "case.record_erasure",
    "enrolment.record_rank",
    "enrolment.receive_offer",
    "enrolment.finish",
];

/// The commands that open a case, and name none.
const OPENING: &[&str] =
    &["residency.declare", "residency.open_ex_officio", "permit.file", "enrolment.file"];

/// What a citizen may file.
const FILING: &[&str] = &["residency.declare", "permit.file", "enrolment.file"];

/// The table: role x command x relation.
pub fn may_command(principal: &Principal, command: &str, relation: Relation) -> bool {
    if SYSTEM.contains(&command) {
        return principal.role == Role::System;
    }
    let opens = OPENING.contains(&command);
    if opens != (relation == Relation::New) {
        // A filing names no case; every other command names one.
        return false;
    }
    if PAPERS.contains(&command) || AUTHORISING.contains(&command) {
        return match principal.role {
            Role::Registrar | Role::ProtectionOfficer => true,
            Role::Head | Role::System => PAPERS.contains(&command),
            _ => false,
        };
    }
    match principal.role {
        Role::Citizen => {
            FILING.contains(&command) || (relation == Relation::Party && PARTY.contains(&command))
        }
        Role::Clerk => {
            !ACTS.contains(&command) && matches!(relation, Relation::New | Relation::OwnOffice)
        }
        Role::Officer | Role::Head => matches!(relation, Relation::New | Relation::OwnOffice),
        Role::Service => SERVICE.contains(&command),
        Role::System => true,
        Role::Registrar
        | Role::Analyst
        | Role::Administrator
        | Role::ProtectionOfficer
        | Role::Migrator => false,
    }
}

/// The predicate that is part of every query over cases; none when the role reads no cases.
pub fn case_access(principal: &Principal, today: Date) -> Option<Access> {
    match principal.role {
        Role::Citizen => Some(Access::Account { account: principal.account.to_string(), today }),
        Role::Clerk | Role::Officer => Some(Access::Offices(principal.offices.clone())),
        Role::Head | Role::Service | Role::System => Some(Access::Everything),
        Role::Registrar
        | Role::Analyst
        | Role::Administrator
        | Role::ProtectionOfficer
        | Role::Migrator => None,
    }
}

/// Whether the caller may see one case, by the same predicate.
pub fn may_see(principal: &Principal, case: &Case, today: Date) -> bool {
    match principal.role {
        Role::System => true,
        Role::Citizen => relation(principal, Some(case), today) == Relation::Party,
        role if role.is_staff() || role == Role::Service => {
            relation(principal, Some(case), today) == Relation::OwnOffice
        }
        _ => false,
    }
}

/// By which right somebody reads personal data, for the record of access; none where no record is
/// kept: citizens read what is their own.
pub fn reads_by(principal: &Principal) -> Option<&'static str> {
    match principal.role {
        Role::Clerk | Role::Officer => Some("own_office"),
        Role::Head => Some("all_offices"),
        Role::Service => Some("service"),
        Role::Registrar => Some("register"),
        Role::Citizen
        | Role::Analyst
        | Role::Administrator
        | Role::ProtectionOfficer
        | Role::Migrator
        | Role::System => None,
    }
}

/// Reads that are not about cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// The worklist.
    Worklist,
    /// Reading the register.
    Register,
    /// Writing the register by hand.
    RegisterDesk,
    /// Statistics.
    Statistics,
    /// Events and cases as of a date.
    History,
    /// The feed for workflows.
    Feed,
    /// Views, clock.
    Administration,
    /// What a school call says, and its rankings: they are published.
    SchoolCalls,
    /// Drafting a call; its offers, lists and statistics.
    SchoolDesk,
    /// The acts of a call: publishing, rankings, offers, places.
    SchoolActs,
    /// Who read what.
    Access,
    /// Holds and erasures.
    Papers,
    /// The log itself, sealed as it stands, over the protocol of event stores.
    Log,
    /// Appending to the log from outside: for moving a comune in.
    LogWriting,
}

/// The table for what is not about one case.
pub fn may_use(principal: &Principal, area: Area) -> bool {
    use Role::{
        Administrator, Analyst, Clerk, Head, Migrator, Officer, ProtectionOfficer, Registrar,
        Service,
    };
    let roles: &[Role] = match area {
        Area::Worklist => &[Clerk, Officer, Head],
        Area::Register => &[Clerk, Officer, Head, Registrar],
        Area::RegisterDesk => &[Registrar, Head],
        Area::Statistics => &[Clerk, Officer, Head, Analyst, Administrator],
        Area::History => &[Analyst, Head],
        Area::Feed => &[Service],
        Area::Administration => &[Administrator],
        Area::SchoolCalls => {
            &[Role::Citizen, Clerk, Officer, Head, Registrar, Analyst, Administrator, Service]
        }
        Area::SchoolDesk => &[Clerk, Officer, Head],
        Area::SchoolActs => &[Officer, Head],
        Area::Access => &[ProtectionOfficer],
        Area::Papers => &[Head, Registrar, ProtectionOfficer],
        Area::Log => &[Analyst, Head, Migrator],
        Area::LogWriting => &[Migrator],
    };
    roles.contains(&principal.role)
}
