//! The choices of the permit's messages as the domain's.

use pratica_domain::case::Tenor;
use pratica_domain::permit::{
    AnnulmentGround, ConferenceForm, Constraint, ContributionKind, Entitlement, ExtensionGround,
    Forum, Ground, Kind, OpinionKind, Position, WorksTerm,
};
use pratica_proto::permit::v1 as proto;

pub(super) fn permit_kind(value: proto::PermitKind) -> Option<Kind> {
    match value {
        proto::PermitKind::Unspecified => None,
        proto::PermitKind::NewConstruction => Some(Kind::NewConstruction),
        proto::PermitKind::UrbanRestructuring => Some(Kind::UrbanRestructuring),
        proto::PermitKind::Restructuring => Some(Kind::Restructuring),
        proto::PermitKind::Variant => Some(Kind::Variant),
        proto::PermitKind::Remainder => Some(Kind::Remainder),
        proto::PermitKind::Notice => Some(Kind::Notice),
        proto::PermitKind::Communication => Some(Kind::Communication),
        proto::PermitKind::Regularisation => Some(Kind::Regularisation),
    }
}

pub(super) fn entitlement(value: proto::Entitlement) -> Option<Entitlement> {
    match value {
        proto::Entitlement::Unspecified => None,
        proto::Entitlement::Owner => Some(Entitlement::Owner),
        proto::Entitlement::CoOwner => Some(Entitlement::CoOwner),
        proto::Entitlement::RealRight => Some(Entitlement::RealRight),
        proto::Entitlement::Other => Some(Entitlement::Other),
    }
}

pub(super) fn constraint(value: proto::Constraint) -> Option<Constraint> {
    match value {
        proto::Constraint::Unspecified => None,
        proto::Constraint::Hydrogeological => Some(Constraint::Hydrogeological),
        proto::Constraint::Environmental => Some(Constraint::Environmental),
        proto::Constraint::Landscape => Some(Constraint::Landscape),
        proto::Constraint::Cultural => Some(Constraint::Cultural),
    }
}

pub(super) fn irreceivability_ground(value: proto::IrreceivabilityGround) -> Option<Ground> {
    match value {
        proto::IrreceivabilityGround::Unspecified => None,
        proto::IrreceivabilityGround::EntitlementMissing => Some(Ground::EntitlementMissing),
        proto::IrreceivabilityGround::DrawingsMissing => Some(Ground::DrawingsMissing),
        proto::IrreceivabilityGround::AsseverationMissing => Some(Ground::AsseverationMissing),
        proto::IrreceivabilityGround::NoPermitNeeded => Some(Ground::NoPermitNeeded),
        proto::IrreceivabilityGround::ManifestlyUnfounded => Some(Ground::ManifestlyUnfounded),
    }
}

pub(super) fn opinion_kind(value: proto::OpinionKind) -> Option<OpinionKind> {
    match value {
        proto::OpinionKind::Unspecified => None,
        proto::OpinionKind::Opinion => Some(OpinionKind::Opinion),
        proto::OpinionKind::Evaluation => Some(OpinionKind::Evaluation),
        proto::OpinionKind::Assent => Some(OpinionKind::Assent),
    }
}

pub(super) fn tenor(value: proto::Tenor) -> Option<Tenor> {
    match value {
        proto::Tenor::Unspecified => None,
        proto::Tenor::Favourable => Some(Tenor::Favourable),
        proto::Tenor::Negative => Some(Tenor::Negative),
    }
}

pub(super) fn conference_form(value: proto::ConferenceForm) -> Option<ConferenceForm> {
    match value {
        proto::ConferenceForm::Unspecified => None,
        proto::ConferenceForm::Simplified => Some(ConferenceForm::Simplified),
        proto::ConferenceForm::Synchronous => Some(ConferenceForm::Synchronous),
    }
}

pub(super) fn position(value: proto::Position) -> Option<Position> {
    match value {
        proto::Position::Unspecified => None,
        proto::Position::Assent => Some(Position::Assent),
        proto::Position::Conditional => Some(Position::Conditional),
        proto::Position::Surmountable => Some(Position::Surmountable),
        proto::Position::Insurmountable => Some(Position::Insurmountable),
    }
}

pub(super) fn annulment_ground(value: proto::AnnulmentGround) -> Option<AnnulmentGround> {
    match value {
        proto::AnnulmentGround::Unspecified => None,
        proto::AnnulmentGround::OwnAnnulment => Some(AnnulmentGround::OwnAnnulment),
        proto::AnnulmentGround::FalseRepresentation => Some(AnnulmentGround::FalseRepresentation),
        proto::AnnulmentGround::Judgement => Some(AnnulmentGround::Judgement),
    }
}

pub(super) fn forum(value: proto::Forum) -> Option<Forum> {
    match value {
        proto::Forum::Unspecified => None,
        proto::Forum::Administration => Some(Forum::Administration),
        proto::Forum::Court => Some(Forum::Court),
    }
}

pub(super) fn contribution_kind(value: proto::ContributionKind) -> Option<ContributionKind> {
    match value {
        proto::ContributionKind::Unspecified => None,
        proto::ContributionKind::Urbanisation => Some(ContributionKind::Urbanisation),
        proto::ContributionKind::ConstructionCost => Some(ContributionKind::ConstructionCost),
    }
}

pub(super) fn works_term(value: proto::WorksTerm) -> Option<WorksTerm> {
    match value {
        proto::WorksTerm::Unspecified => None,
        proto::WorksTerm::Start => Some(WorksTerm::Start),
        proto::WorksTerm::Finish => Some(WorksTerm::Finish),
    }
}

pub(super) fn extension_ground(value: proto::ExtensionGround) -> Option<ExtensionGround> {
    match value {
        proto::ExtensionGround::Unspecified => None,
        proto::ExtensionGround::SupervenedFacts => Some(ExtensionGround::SupervenedFacts),
        proto::ExtensionGround::SizeOrDifficulty => Some(ExtensionGround::SizeOrDifficulty),
        proto::ExtensionGround::PublicFinancing => Some(ExtensionGround::PublicFinancing),
        proto::ExtensionGround::UnfoundedBlock => Some(ExtensionGround::UnfoundedBlock),
    }
}
