//! A permit as messages: what it has besides any case, with the identifiers that commands ask for.

use super::word;
use crate::app::{AppError, Town};
use crate::grpc::convert::date_message;
use jiff::civil::Date;
use pratica_domain::case::TermKey;
use pratica_domain::permit::{
    Application, Conference, Extension, Opinion, SILENCE, SILENCE_EARLIEST, State, Title, Works,
    suap,
};
use pratica_domain::{Case, ProcedureState, Rejection, RejectionCode};
use pratica_proto::common::v1 as common;
use pratica_proto::permit::v1 as proto;

/// The permit of a case.
///
/// # Errors
/// `WRONG_PROCEDURE` for another case; when a term cannot be reckoned.
pub(crate) fn permit(town: &Town, case: &Case) -> Result<proto::PermitView, AppError> {
    let ProcedureState::Permit(state) = &case.procedure else {
        let kind = case.procedure().map_or("", pratica_domain::case::Procedure::as_str);
        return Err(Rejection::new(RejectionCode::WrongProcedure).with("kind", kind).into());
    };
    let Some(a) = state.application() else { return Ok(proto::PermitView::default()) };
    let pending = matches!(**state, State::Pending(_));
    let outcome = case.file.closure.as_ref().map(|c| c.outcome);
    let site = &a.content.site.value;
    let silence = if pending { end_of(town, case, SILENCE)? } else { None };
    Ok(proto::PermitView {
        stage: case.phase().to_owned(),
        works: a.content.works.value.clone(),
        address: Some(common::Address {
            street: site.address.street.clone(),
            postcode: site.address.postcode.clone(),
            municipality: site.address.municipality.clone(),
            province: site.address.province.clone(),
        }),
        parcels: site
            .parcels
            .iter()
            .map(|p| proto::Parcel {
                sheet: p.sheet.clone(),
                number: p.number.clone(),
                unit: p.unit.clone(),
            })
            .collect(),
        constraints: a.constraints.iter().map(|c| c.as_str().to_owned()).collect(),
        authorisations_held: a.authorisations_held,
        complex: a.complex,
        refuse_before_date: if pending {
            end_of(town, case, SILENCE_EARLIEST)?.map(date_message)
        } else {
            None
        },
        silence_date: silence.map(date_message),
        silence_would_grant: pending && would_grant(town, case, a, silence),
        opinions: a.opinions.iter().map(|(id, o)| opinion(&id.to_string(), o)).collect(),
        conferences: a.conferences.iter().map(conference).collect(),
        title: state.title().map(title),
        open_attestations: u32::try_from(
            a.attestations.values().filter(|answered| !**answered).count(),
        )
        .unwrap_or(u32::MAX),
        suap_status: suap::state_of(state.stage(&case.file), outcome).to_owned(),
    })
}

fn end_of(town: &Town, case: &Case, rule: &str) -> Result<Option<Date>, AppError> {
    let Some(rules) = town.rules.book.version(case.rules_version()) else { return Ok(None) };
    let key = TermKey::of(rule);
    let reckoned = case.file.terms.reckon(&key, rules, &town.rules.calendar);
    let reckoned = reckoned.map_err(|e| {
        Rejection::new(RejectionCode::TermUncomputable).with("term", &key).with("reason", e)
    })?;
    Ok(reckoned.and_then(|t| t.reckoning.end))
}

fn would_grant(town: &Town, case: &Case, a: &Application, silence: Option<Date>) -> bool {
    let Some(rules) = town.rules.book.version(case.rules_version()) else { return false };
    silence.is_some_and(|on| pratica_domain::permit::rules::silence_grants(case, a, on, rules))
}

fn opinion(id: &str, o: &Opinion) -> proto::OpinionView {
    proto::OpinionView {
        opinion_id: id.to_owned(),
        request_date: Some(date_message(o.requested_on)),
        receive_date: o.received_on.map(date_message),
        tenor: o.tenor.map(|t| word(&t)).unwrap_or_default(),
        silence: o.lapsed.map(|l| word(&l)).unwrap_or_default(),
    }
}

fn conference(c: &Conference) -> proto::ConferenceView {
    proto::ConferenceView {
        conference_id: c.conference.to_string(),
        convene_date: Some(date_message(c.convened_on)),
        meeting_date: Some(date_message(c.meeting_on)),
        bodies: c
            .bodies
            .iter()
            .map(|(id, b)| proto::BodyView {
                body_id: id.to_string(),
                name: b.name.clone(),
                sensitive: b.sensitive,
                position: b.position.map(|p| p.as_str().to_owned()).unwrap_or_default(),
                receive_date: b.received_on.map(date_message),
            })
            .collect(),
        conclude_date: c.concluded.map(|(_, on)| date_message(on)),
        positive: c.concluded.is_some_and(|(positive, _)| positive),
    }
}

fn title(t: &Title) -> proto::TitleView {
    let (started, finished) = match t.works {
        Works::NotStarted => (None, None),
        Works::Started(on) => (Some(on), None),
        Works::Finished(on, end) => (Some(on), Some(end)),
    };
    proto::TitleView {
        grant_date: Some(date_message(t.granted_on)),
        by_silence: t.by_silence,
        effect_suspended: t.effect_suspended,
        start_date: started.map(date_message),
        finish_date: finished.map(date_message),
        publish_date: t.published_on.map(date_message),
        lapse_date: t.lapsed_on.map(date_message),
        annul_date: t.annulled_on.map(date_message),
        contributions: t
            .contributions
            .iter()
            .map(|(id, part)| {
                let mut all: Vec<_> = part.instalments.iter().collect();
                all.sort_by_key(|(id, i)| (i.due_on, **id));
                proto::ContributionView {
                    contribution_id: id.to_string(),
                    kind: word(&part.kind),
                    instalments: all
                        .into_iter()
                        .map(|(id, i)| proto::InstalmentView {
                            instalment_id: id.to_string(),
                            amount_cents: i.amount_cents,
                            open_cents: i.open_cents(),
                            due_date: Some(date_message(i.due_on)),
                        })
                        .collect(),
                }
            })
            .collect(),
        extensions: t.extensions.iter().map(|(id, e)| extension(&id.to_string(), e)).collect(),
    }
}

fn extension(id: &str, e: &Extension) -> proto::ExtensionView {
    let answer = match e.granted {
        None => "pending",
        Some(true) => "granted",
        Some(false) => "refused",
    };
    proto::ExtensionView {
        extension_id: id.to_owned(),
        term: word(&e.term),
        request_date: Some(date_message(e.requested_on)),
        answer: answer.to_owned(),
    }
}
