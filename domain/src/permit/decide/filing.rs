//! The filing of an application, notice or communication.

use crate::case::{
    Attachment, Channel, LinkKind, Linked, Opened, PartyAdded, PartyRole, Procedure,
    RepresentationGranted, RepresentationTitle, attach, written_id,
};
use crate::context::Context;
use crate::event::Event;
use crate::ids::{EntryId, OfficeId, SubjectId};
use crate::people::Personal;
use crate::permit::REGULARISATION;
use crate::permit::commands::Form;
use crate::permit::events::{Content, Filed, Kind};
use crate::rejection::{Rejection, RejectionCode};
use crate::term::{Length, TermRuleId, rome_date};
use jiff::Timestamp;

pub(super) fn file(
    form: &Form,
    channel: Channel,
    filed_at: Timestamp,
    office: OfficeId,
    attachments: &[Attachment],
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    let filed_on = rome_date(filed_at);
    let opened = Opened {
        procedure: Procedure::Permit,
        kind: form.kind.as_str().to_owned(),
        filed_on,
        filed_at,
        channel,
        rules_version: ctx.rules_in_force(filed_on)?.version.clone(),
        office,
        reference: None,
    };
    let own_term = match form.kind {
        Kind::Regularisation => Some(regularisation_term(&opened.rules_version, ctx)?),
        _ => None,
    };
    let applicant = SubjectId(ctx.new_id("party 0"));
    let designer = SubjectId(ctx.new_id("party 1"));
    let mut events = vec![
        Event::Case(opened.into()),
        Event::Case(
            PartyAdded {
                subject: applicant,
                role: PartyRole::Applicant,
                person: Personal::new(applicant, form.applicant.clone()),
                account: form.account.clone(),
            }
            .into(),
        ),
    ];
    if let Some(person) = &form.designer {
        let role = if form.by_mandate { PartyRole::Representative } else { PartyRole::Member };
        let party = PartyAdded {
            subject: designer,
            role,
            person: Personal::new(designer, person.clone()),
            account: form.designer_account.clone(),
        };
        events.push(Event::Case(party.into()));
        if form.by_mandate {
            let mandate = RepresentationGranted {
                representation: EntryId(ctx.new_id("mandate")),
                agent: designer,
                principal: applicant,
                title: RepresentationTitle::Mandate,
                evidence: None,
                until: None,
            };
            events.push(Event::Case(mandate.into()));
        }
    }
    if let Some(other) = form.follows {
        events.push(Event::Case(Linked { other, kind: LinkKind::VariantOf }.into()));
    }
    let application_document = written_id(ctx, events.len());
    let filed = Filed {
        kind: form.kind,
        filed_at,
        content: Content {
            entitlement: form.entitlement,
            drawings: form.drawings,
            asseveration: form.asseveration,
            designer: form.designer.as_ref().map(|_| designer),
            works: Personal::new(applicant, form.works.trim().to_owned()),
            site: Personal::new(applicant, form.site.clone()),
            constraints: form.constraints.clone(),
            authorisations_held: form.authorisations_held,
            assents_needed: form.assents_needed.clone(),
        },
        own_term,
    };
    events.push(Event::Permit(filed.into()));
    attach(&mut events, attachments, filed_on, application_document, ctx);
    Ok(events)
}

/// The term of art. 36-bis, as the rules of the filing have it.
fn regularisation_term(version: &str, ctx: &Context<'_>) -> Result<Length, Rejection> {
    ctx.rule_set(version)?
        .term(&TermRuleId::from(REGULARISATION))
        .map(|rule| rule.length)
        .map_err(|e| Rejection::new(RejectionCode::TermUncomputable).with("reason", e))
}
