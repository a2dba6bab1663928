//! A refusal by the law or by the facts: a value, never a failure of the machine.
//!
//! Codes never change their meaning. The texts in Italian and English, and what would unblock the
//! command, are message files of the shell, one entry a code; the details fill their blanks.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

macro_rules! codes {
    ($( $(#[$doc:meta])* $variant:ident = $text:literal ),+ $(,)?) => {
        /// The stable code of a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RejectionCode { $( $(#[$doc])* $variant ),+ }

        impl RejectionCode {
            /// Every code, for the message files and the documentation to be checked against.
            pub const ALL: &'static [RejectionCode] = &[ $( RejectionCode::$variant ),+ ];

            /// The code on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $( RejectionCode::$variant => $text ),+ }
            }
        }
    };
}

codes! {
    /// No event says that the case was opened.
    CaseNotOpened = "CASE_NOT_OPENED",
    /// The case exists already: a filing opens a new one.
    CaseAlreadyOpened = "CASE_ALREADY_OPENED",
    /// The case has its final act, or was withdrawn.
    CaseClosed = "CASE_CLOSED",
    /// The case is not closed, so there is nothing to reopen.
    CaseNotClosed = "CASE_NOT_CLOSED",
    /// The law knows no reopening of a case that ended like this.
    ReopeningNotForeseen = "REOPENING_NOT_FORESEEN",
    /// The command belongs to another procedure.
    WrongProcedure = "WRONG_PROCEDURE",
    /// The command does not fit the phase of the case.
    WrongPhase = "WRONG_PHASE",
    /// The actor declared a conflict of interest (L. 241/1990 art. 6-bis).
    ConflictOfInterest = "CONFLICT_OF_INTEREST",
    /// A case in conflict must be reassigned to someone without one.
    OfficerInConflict = "OFFICER_IN_CONFLICT",
    /// One person cannot both propose and decide.
    FourEyes = "FOUR_EYES",
    /// A negative act without a notice of rejection first (L. 241/1990 art. 10-bis).
    NoticeRequired = "NOTICE_REQUIRED",
    /// A notice of rejection is open already.
    NoticeAlreadySent = "NOTICE_ALREADY_SENT",
    /// There is no notice of rejection to act on.
    NoNotice = "NO_NOTICE",
    /// The receipt of the notice is already on record, with another date.
    ReceiptAlreadyRecorded = "RECEIPT_ALREADY_RECORDED",
    /// The window for observations is still open (L. 241/1990 art. 10-bis).
    ObservationWindowOpen = "OBSERVATION_WINDOW_OPEN",
    /// Observations were filed and the act does not answer them.
    ObservationsUnanswered = "OBSERVATIONS_UNANSWERED",
    /// The term ran out and silence formed; what comes after is ineffective (art. 2 c. 8-bis).
    SilenceFormed = "SILENCE_FORMED",
    /// The term has not run out.
    TermNotExpired = "TERM_NOT_EXPIRED",
    /// The case has no such term.
    UnknownTerm = "UNKNOWN_TERM",
    /// The term does not run, so it can't be suspended or extended.
    TermNotRunning = "TERM_NOT_RUNNING",
    /// The term is not suspended by this.
    TermNotSuspended = "TERM_NOT_SUSPENDED",
    /// The law allows this suspension once only (L. 241/1990 art. 2 c. 7).
    SuspensionSpent = "SUSPENSION_SPENT",
    /// An act must give reasons (L. 241/1990 art. 3).
    ReasonsMissing = "REASONS_MISSING",
    /// A notified act states the term and the authority of appeal (L. 241/1990 art. 3 c. 4).
    AppealMissing = "APPEAL_MISSING",
    /// Who departs from the proposal gives reasons (L. 241/1990 art. 6 c. 1 lett. e).
    DepartureUnreasoned = "DEPARTURE_UNREASONED",
    /// A date lies in the future.
    DateInFuture = "DATE_IN_FUTURE",
    /// A date lies before the fact it must follow.
    DateTooEarly = "DATE_TOO_EARLY",
    /// A date is after the last day it could bear.
    DateTooLate = "DATE_TOO_LATE",
    /// A required part of the form is missing.
    FormIncomplete = "FORM_INCOMPLETE",
    /// The persons of one form have different origins or reasons: separate cases.
    SeparateCasesNeeded = "SEPARATE_CASES_NEEDED",
    /// The declaration is receivable, so it can't be found irreceivable.
    NoGroundOfIrreceivability = "NO_GROUND_OF_IRRECEIVABILITY",
    /// The declaration is not receivable (DPR 223/1989; DL 47/2014 art. 5).
    NotReceivable = "NOT_RECEIVABLE",
    /// No such document in this case.
    UnknownDocument = "UNKNOWN_DOCUMENT",
    /// The document was replaced by a later version.
    DocumentReplaced = "DOCUMENT_REPLACED",
    /// The document has a protocol number already.
    AlreadyRegistered = "ALREADY_REGISTERED",
    /// No such request to the citizen.
    UnknownRequest = "UNKNOWN_REQUEST",
    /// The request was answered, lapsed or was withdrawn.
    RequestNotOpen = "REQUEST_NOT_OPEN",
    /// No such party in this case.
    UnknownParty = "UNKNOWN_PARTY",
    /// The party is already in the case.
    PartyAlreadyPresent = "PARTY_ALREADY_PRESENT",
    /// No such representation.
    UnknownRepresentation = "UNKNOWN_REPRESENTATION",
    /// A case cannot be linked to itself.
    LinkToItself = "LINK_TO_ITSELF",
    /// There is no proposal to act on.
    NoProposal = "NO_PROPOSAL",
    /// A proposal stands already.
    ProposalStands = "PROPOSAL_STANDS",
    /// Withdrawal is no longer possible.
    WithdrawalTooLate = "WITHDRAWAL_TOO_LATE",
    /// The checks that this act needs are missing (DPR 223/1989 arts. 11 and 19).
    ChecksMissing = "CHECKS_MISSING",
    /// The law asks for more time between the facts (absence, invitation).
    TooSoon = "TOO_SOON",
    /// The person was not told of the start or invited to declare.
    NotInvited = "NOT_INVITED",
    /// The person was invited already, on another day.
    AlreadyInvited = "ALREADY_INVITED",
    /// The consular declaration or form is missing (L. 470/1988 art. 6).
    ConsularFormMissing = "CONSULAR_FORM_MISSING",
    /// This installation does not hold the rules that the case pinned.
    RulesUnknown = "RULES_UNKNOWN",
    /// A due date could not be computed.
    TermUncomputable = "TERM_UNCOMPUTABLE",
    /// No registration has this number.
    UnknownRegistration = "UNKNOWN_REGISTRATION",
    /// The registration was annulled.
    RegistrationAnnulled = "REGISTRATION_ANNULLED",
    /// The register of this day is closed already.
    DayAlreadyClosed = "DAY_ALREADY_CLOSED",
    /// The day is not over.
    DayNotOver = "DAY_NOT_OVER",
    /// A day before this one has registrations and is not closed.
    EarlierDayOpen = "EARLIER_DAY_OPEN",
    /// An emergency register is open already.
    EmergencyAlreadyOpen = "EMERGENCY_ALREADY_OPEN",
    /// No emergency register is open.
    NoEmergency = "NO_EMERGENCY",
    /// A request that holds the clock is open already.
    RequestAlreadyOpen = "REQUEST_ALREADY_OPEN",
    /// Safeguard measures suspend the decision (DPR 380/2001 art. 12 c. 3).
    SafeguardsHold = "SAFEGUARDS_HOLD",
    /// No opinion of this name is awaited.
    UnknownOpinion = "UNKNOWN_OPINION",
    /// No such body in this conference.
    UnknownBody = "UNKNOWN_BODY",
    /// The body has given its determination.
    BodyHasDetermined = "BODY_HAS_DETERMINED",
    /// A conference is under way: its determination decides.
    ConferenceUnderWay = "CONFERENCE_UNDER_WAY",
    /// The conference was concluded and starts again only on observations.
    ConferenceConcluded = "CONFERENCE_CONCLUDED",
    /// The conference has met already.
    ConferenceMet = "CONFERENCE_MET",
    /// Bodies have not determined and still may.
    PositionsAwaited = "POSITIONS_AWAITED",
    /// The positions ask for a meeting (L. 241/1990 art. 14-bis c. 6).
    MeetingNeeded = "MEETING_NEEDED",
    /// The positions lead to the other outcome (L. 241/1990 art. 14-bis c. 5).
    PositionsSayOtherwise = "POSITIONS_SAY_OTHERWISE",
    /// Constrained property needs the bodies' assent (DPR 380/2001 art. 20; L. 241/1990 art. 14).
    AuthorisationsMissing = "AUTHORISATIONS_MISSING",
    /// Nobody asked for an attestation that was not answered.
    NoAttestationAsked = "NO_ATTESTATION_ASKED",
    /// The title's effect is suspended: bodies may oppose it, or one did.
    EffectSuspended = "EFFECT_SUSPENDED",
    /// The works have started.
    WorksStarted = "WORKS_STARTED",
    /// No request for more time is open under this name.
    UnknownExtension = "UNKNOWN_EXTENSION",
    /// A request for more time awaits its answer.
    ExtensionPending = "EXTENSION_PENDING",
    /// The parts do not add up to the whole.
    AmountsDiffer = "AMOUNTS_DIFFER",
    /// The amount is more than is open.
    AmountTooHigh = "AMOUNT_TOO_HIGH",
    /// No such part of the contribution, or not one that works can offset.
    UnknownContribution = "UNKNOWN_CONTRIBUTION",
    /// No such instalment.
    UnknownInstalment = "UNKNOWN_INSTALMENT",
    /// The instalment was paid.
    InstalmentPaid = "INSTALMENT_PAID",
    /// The time that is given is shorter than the law allows.
    TimeTooShort = "TIME_TOO_SHORT",
    /// Annulment needs the act that authorised it (DPR 445/2000 art. 54).
    AuthorisationMissing = "AUTHORISATION_MISSING",
    /// What is asked is of another year than the register.
    WrongYear = "WRONG_YEAR",
    /// The call takes no applications on this day.
    CallTakesNoApplications = "CALL_TAKES_NO_APPLICATIONS",
    /// The window of the call is closed.
    WindowClosed = "WINDOW_CLOSED",
    /// The window of the call is still open.
    WindowOpen = "WINDOW_OPEN",
    /// No school is named, or more than the call allows.
    ChoicesCount = "CHOICES_COUNT",
    /// The call has no such school for this age, or it is named twice.
    UnknownSchool = "UNKNOWN_SCHOOL",
    /// The child is in no age band of the call.
    AgeOutsideCall = "AGE_OUTSIDE_CALL",
    /// The criteria know no such fact.
    UnknownFact = "UNKNOWN_FACT",
    /// The call is for residents only.
    ResidentsOnly = "RESIDENTS_ONLY",
    /// Requests to the family wait for an answer.
    RequestsOpen = "REQUESTS_OPEN",
    /// A document that every application needs is missing.
    DocumentsMissing = "DOCUMENTS_MISSING",
    /// No such observation waits for an answer.
    UnknownObservation = "UNKNOWN_OBSERVATION",
    /// The time for observations is over.
    ObservationsClosed = "OBSERVATIONS_CLOSED",
    /// An observation corrects errors, not facts that came after the window.
    LateFact = "LATE_FACT",
    /// No such offer waits for an answer.
    OfferNotOpen = "OFFER_NOT_OPEN",
    /// The last day of the offer is over: silence renounced.
    OfferOver = "OFFER_OVER",
    /// Acceptance is complete with the deposit.
    DepositMissing = "DEPOSIT_MISSING",
    /// No proof of vaccination is asked for, or it came.
    VaccinesNotInQuestion = "VACCINES_NOT_IN_QUESTION",
    /// The criteria of the call have no formula of a fee.
    NoFeeFormula = "NO_FEE_FORMULA",
    /// The call's plan or criteria cannot be used.
    CriteriaInvalid = "CRITERIA_INVALID",
    /// Lots need the hash of a seed, published with the call.
    SeedNotCommitted = "SEED_NOT_COMMITTED",
    /// Lots cannot be drawn before the seed is revealed.
    SeedNotRevealed = "SEED_NOT_REVEALED",
    /// The seed is not the one that was committed to.
    SeedMismatch = "SEED_MISMATCH",
    /// Applications are neither scored nor at an end.
    ApplicationsUnscored = "APPLICATIONS_UNSCORED",
    /// A child has more than one application in the call.
    ChildAppliesTwice = "CHILD_APPLIES_TWICE",
    /// More places are taken or offered than would be left.
    PlacesTaken = "PLACES_TAKEN",
    /// Who acts for another proves it with a document.
    EvidenceMissing = "EVIDENCE_MISSING",
    /// The actor is a party of the case, or acts for one (L. 241/1990 art. 6-bis).
    OwnCase = "OWN_CASE",
    /// The case's personal data is erased, or its erasure authorised: it takes nothing more.
    CaseErased = "CASE_ERASED",
    /// A legal hold keeps the case's papers.
    LegalHold = "LEGAL_HOLD",
    /// No such legal hold stands.
    UnknownHold = "UNKNOWN_HOLD",
    /// The conservation plan keeps the case's papers longer (DPR 445/2000 art. 68).
    RetentionRuns = "RETENTION_RUNS",
    /// The conservation plan keeps the case's papers for ever.
    KeptForEver = "KEPT_FOR_EVER",
    /// A term of the case has not come to its end.
    TermsStillRun = "TERMS_STILL_RUN",
    /// The erasure is proposed already.
    ErasureProposed = "ERASURE_PROPOSED",
    /// Nobody proposed the erasure.
    NoErasureProposed = "NO_ERASURE_PROPOSED",
    /// The erasure is not authorised.
    NoErasureAuthorised = "NO_ERASURE_AUTHORISED",
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RejectionCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// A refusal: a code, the article behind it, and details without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code} {details:?}")]
pub struct Rejection {
    /// The stable code.
    pub code: RejectionCode,
    /// The rule that refused, set by the list it stands in.
    pub rule: &'static str,
    /// The article that the rule rests on.
    pub article: &'static str,
    /// What fills the blanks of the message: dates, states, names of fields.
    pub details: BTreeMap<&'static str, String>,
}

impl Rejection {
    /// A refusal with no details yet.
    pub fn new(code: RejectionCode) -> Self {
        Rejection { code, rule: "", article: "", details: BTreeMap::new() }
    }

    /// Adds a detail. Never personal data.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.details.insert(key, value.to_string());
        self
    }

    /// Names the rule and its article.
    #[must_use]
    pub fn under(mut self, rule: &'static str, article: &'static str) -> Self {
        if self.rule.is_empty() {
            self.rule = rule;
            self.article = article;
        }
        self
    }
}
