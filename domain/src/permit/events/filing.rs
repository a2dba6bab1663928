//! The filing: what is to be built, on which title, under which constraints.

use crate::ids::SubjectId;
use crate::people::{Address, Personal};
use crate::term::Length;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is filed (DPR 380/2001 arts. 6-bis, 10, 14, 15, 22, 36-bis).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// New construction (art. 10 c. 1 lett. a).
    NewConstruction,
    /// Urban restructuring (lett. b).
    UrbanRestructuring,
    /// Heavier building restructuring (lett. c).
    Restructuring,
    /// A variant of an earlier permit.
    Variant,
    /// The part of an earlier permit that was not carried out (art. 15 c. 3).
    Remainder,
    /// Permit for what was built in part without conformity (art. 36-bis, since L. 105/2024):
    /// forty-five days, and silence grants.
    Regularisation,
    /// Certified notice of start of works, SCIA (art. 22): works start at once.
    Notice,
    /// Certified communication of start of works, CILA (art. 6-bis): no control term, no silence.
    Communication,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::NewConstruction,
        Kind::UrbanRestructuring,
        Kind::Restructuring,
        Kind::Variant,
        Kind::Remainder,
        Kind::Regularisation,
        Kind::Notice,
        Kind::Communication,
    ];

    /// The word in events and views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::NewConstruction => "new_construction",
            Kind::UrbanRestructuring => "urban_restructuring",
            Kind::Restructuring => "restructuring",
            Kind::Variant => "variant",
            Kind::Remainder => "remainder",
            Kind::Regularisation => "regularisation",
            Kind::Notice => "notice",
            Kind::Communication => "communication",
        }
    }

    /// Whether it asks for a permit; a notice and a communication ask for nothing.
    pub fn is_application(self) -> bool {
        !matches!(self, Kind::Notice | Kind::Communication)
    }

    /// Whether it refers to an earlier case.
    pub fn follows_another(self) -> bool {
        matches!(self, Kind::Variant | Kind::Remainder)
    }
}

/// By which title the applicant may ask (art. 11 c. 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entitlement {
    /// Owner.
    Owner,
    /// Co-owner, with the consent of the others.
    CoOwner,
    /// Usufruct or another real right.
    RealRight,
    /// Another title, as a lease with the owner's consent.
    Other,
}

/// A constraint on the property (L. 241/1990 art. 20 c. 4; DPR 380/2001 art. 20 c. 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Hydrogeological.
    Hydrogeological,
    /// Environmental.
    Environmental,
    /// Landscape.
    Landscape,
    /// Cultural heritage.
    Cultural,
}

impl Constraint {
    /// Every constraint.
    pub const ALL: [Constraint; 4] = [
        Constraint::Hydrogeological,
        Constraint::Environmental,
        Constraint::Landscape,
        Constraint::Cultural,
    ];

    /// The word in events and views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Constraint::Hydrogeological => "hydrogeological",
            Constraint::Environmental => "environmental",
            Constraint::Landscape => "landscape",
            Constraint::Cultural => "cultural",
        }
    }
}

/// A parcel of the land register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Sheet (*foglio*).
    pub sheet: String,
    /// Parcel (*particella* or *mappale*).
    pub number: String,
    /// Unit (*subalterno*), if any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

/// Where it is to be built: it tells who owns what, so it is personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The address.
    pub address: Address,
    /// The parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
}

/// What an application contains, as far as receivability is judged by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The title of the applicant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entitlement: Option<Entitlement>,
    /// Whether the drawings are there.
    pub drawings: bool,
    /// Whether the designer asseverates conformity (art. 20 c. 1).
    pub asseveration: bool,
    /// The designer, a party of the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designer: Option<SubjectId>,
    /// What is to be built, in the applicant's words.
    pub works: Personal<String>,
    /// Where.
    pub site: Personal<Site>,
    /// The constraints that the applicant declares.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub constraints: BTreeSet<Constraint>,
    /// Whether the authorisations that they need were all obtained for the same drawings and are
    /// in force (art. 20 c. 8 since 18 December 2025).
    #[serde(default)]
    pub authorisations_held: bool,
    /// Other bodies whose assent is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assents_needed: Vec<String>,
}

/// The application, notice or communication was filed (art. 20 c. 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// The kind.
    pub kind: Kind,
    /// The instant of receipt.
    pub filed_at: Timestamp,
    /// The content.
    pub content: Content,
    /// The length of the term whose end in silence grants, where the kind has its own (art. 36-bis
    /// c. 6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_term: Option<Length>,
}

/// Why an application is manifestly irreceivable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Nothing says by which title the applicant asks.
    EntitlementMissing,
    /// The drawings are missing.
    DrawingsMissing,
    /// The designer's asseveration is missing.
    AsseverationMissing,
    /// The works need no permit.
    NoPermitNeeded,
    /// It is manifestly unfounded or inadmissible for another reason, which the act gives.
    ManifestlyUnfounded,
}

impl Ground {
    /// The word in refusals and views.
    pub fn as_str(self) -> &'static str {
        match self {
            Ground::EntitlementMissing => "entitlement_missing",
            Ground::DrawingsMissing => "drawings_missing",
            Ground::AsseverationMissing => "asseveration_missing",
            Ground::NoPermitNeeded => "no_permit_needed",
            Ground::ManifestlyUnfounded => "manifestly_unfounded",
        }
    }
}
