//! What a decision may know besides the case: the only door through which time, the actor, rules
//! and holidays come into the domain. No clock and no randomness may enter by another way.

use crate::ids::{CaseId, ComuneId, OfficerId, SubjectId, derived};
use crate::rejection::{Rejection, RejectionCode};
use crate::term::{Calendar, RuleBook, RuleSet, rome_date};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an actor is to the town hall. The table of who may do what lives in the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person with a case of their own, or who acts for one.
    Citizen,
    /// An operator of the counter or the back office who advances cases (*istruttore*).
    Clerk,
    /// The responsible officer, who proposes and decides (*responsabile*, *ufficiale d'anagrafe*).
    Officer,
    /// The head of an office: assigns, replaces, decides (*dirigente*).
    Head,
    /// The protocol office (*addetto al protocollo*).
    Registrar,
    /// Who replays history and reads statistics.
    Analyst,
    /// Who administers the installation; no right on cases comes with it.
    Administrator,
    /// The data-protection officer (GDPR art. 39): sees who read what, and no case.
    ProtectionOfficer,
    /// A workflow of the paperless office: reads the feed, writes receipts back.
    Service,
    /// Who moves a comune from one log to another: reads the log sealed, and appends to it.
    Migrator,
    /// Pratica itself: processes and the deadline ticker.
    System,
}

impl Role {
    /// Every role, in the order of the authorisation table.
    pub const ALL: [Role; 11] = [
        Role::Citizen,
        Role::Clerk,
        Role::Officer,
        Role::Head,
        Role::Registrar,
        Role::Analyst,
        Role::Administrator,
        Role::ProtectionOfficer,
        Role::Service,
        Role::Migrator,
        Role::System,
    ];

    /// The name in tokens, metadata and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Citizen => "citizen",
            Role::Clerk => "clerk",
            Role::Officer => "officer",
            Role::Head => "head",
            Role::Registrar => "registrar",
            Role::Analyst => "analyst",
            Role::Administrator => "administrator",
            Role::ProtectionOfficer => "protection_officer",
            Role::Service => "service",
            Role::Migrator => "migrator",
            Role::System => "system",
        }
    }

    /// Whether the role belongs to someone who works for the comune on cases.
    pub fn is_staff(self) -> bool {
        matches!(self, Role::Clerk | Role::Officer | Role::Head)
    }
}

impl std::str::FromStr for Role {
    type Err = crate::ids::InvalidId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::ALL.into_iter().find(|r| r.as_str() == text).ok_or(crate::ids::InvalidId {
            what: "Role",
            text: text.to_owned(),
            rule: "citizen, clerk, officer, head, registrar, analyst, administrator, protection_officer, service, migrator or system",
        })
    }
}

/// Who acts, in which role, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account: never a person's name or fiscal code.
    pub id: OfficerId,
    /// In which role the account acts now.
    pub role: Role,
    /// The data subject on whose behalf the actor acts, if another.
    pub on_behalf_of: Option<SubjectId>,
}

/// Everything a decision may know besides the state and the command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The comune whose case it is.
    pub comune: &'a ComuneId,
    /// The case the command is for; for a filing, the one that the filing opens.
    pub case_id: CaseId,
    /// The instant of the decision, from the injected clock.
    pub now: Timestamp,
    /// Who asks.
    pub actor: &'a Actor,
    /// The rules, in all versions.
    pub rules: &'a RuleBook,
    /// National holidays and the comune's own.
    pub calendar: &'a Calendar,
    /// The client-made id of the request: new identifiers derive from it.
    pub request_id: Uuid,
    /// How the shell writes an act down: the hash of its canonical text.
    pub written: fn(&crate::event::Event) -> Written,
}

/// An act or a message in its canonical text, as far as a decision needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Media type of the text.
    pub media_type: &'static str,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, in lower-case hexadecimal.
    pub sha256: String,
}

impl Context<'_> {
    /// Today's legal date: the civil date in Rome.
    pub fn today(&self) -> Date {
        rome_date(self.now)
    }

    /// The rules that a case pinned when it was filed.
    ///
    /// # Errors
    /// `RULES_UNKNOWN` when this installation does not hold that version.
    pub fn rule_set(&self, version: &str) -> Result<&RuleSet, Rejection> {
        self.rules
            .version(version)
            .ok_or_else(|| Rejection::new(RejectionCode::RulesUnknown).with("version", version))
    }

    /// The rules in force for what is filed on `on`.
    ///
    /// # Errors
    /// `RULES_UNKNOWN` when no version was in force then.
    pub fn rules_in_force(&self, on: Date) -> Result<&RuleSet, Rejection> {
        self.rules
            .in_force_on(on)
            .ok_or_else(|| Rejection::new(RejectionCode::RulesUnknown).with("version", on))
    }

    /// An identifier that this request, and no other, gives to `purpose`.
    pub fn new_id(&self, purpose: &str) -> Uuid {
        derived(self.request_id, purpose)
    }
}
