//! Turns an allowed command into the facts of a call. Every refusal stands in `rules`.

use super::commands::{Command, Prepared, Surroundings};
use super::events::{
    ApplicationReleased, CallClosed, CallPublished, Drafted, Event as Own, OfferSettled,
    OfferingStarted, PlaceOffered, PlacesChanged, RankingBecameDefinitive, RankingPage,
    RankingPublished, Revised, SeedRevealed, WindowClosed, WindowOpened,
};
use super::rules::{ACTIONS, observations_end, plan};
use super::scroll::{Due, Held, OfferState, Scroll};
use super::state::{Call, Phase, Published, legal_at};
use crate::context::Context;
use crate::event::Event;
use crate::ids::EntryId;
use crate::ranking::Stage;
use crate::rejection::Rejection;
use crate::term::{Length, first_instant_after};

/// How many bytes of a ranking's text one event holds at most.
const PAGE_BYTES: usize = 200_000;

/// Decides a command. Nothing recorded means that what it asks for stands already.
///
/// # Errors
/// The first rule of the command's list that the call, its applications or the content breaks.
pub fn decide(
    call: &Call,
    command: &Command,
    around: &Surroundings,
    ctx: &Context<'_>,
) -> Result<Vec<Event>, Rejection> {
    if stands_already(call, command, ctx) {
        return Ok(Vec::new());
    }
    let action = ACTIONS.iter().find(|a| a.command == command.name());
    for rule in action.map_or(&[][..], |a| a.rules) {
        (rule.check)(call, command, around, ctx).map_err(|r| r.under(rule.name, rule.article))?;
    }
    let events = facts(call, command, around, ctx)?;
    Ok(events.into_iter().map(Event::Call).collect())
}

fn stands_already(call: &Call, command: &Command, ctx: &Context<'_>) -> bool {
    let settled =
        |offer: &EntryId| call.scroll.offers.get(offer).is_none_or(|o| o.state != OfferState::Open);
    let ranking = EntryId(ctx.new_id("ranking"));
    let is_of =
        |published: Option<&Published>| published.is_some_and(|p| p.facts.ranking == ranking);
    match command {
        Command::Draft { plan } | Command::Revise { plan } => {
            call.phase == Phase::Drafted && call.plan.as_deref() == Some(plan)
        }
        Command::Publish { .. } => false,
        Command::RevealSeed { seed, public_draw } => {
            call.seed.as_ref().is_some_and(|(s, d)| s == seed && d == public_draw)
        }
        Command::PublishProvisional => is_of(call.provisional.as_ref()),
        Command::ApproveDefinitive { .. } => is_of(call.definitive.as_ref()),
        Command::StartOffers => call.phase == Phase::Offering,
        Command::ChangePlaces { list, places, .. } => {
            call.phase == Phase::Offering && call.scroll.places.get(list) == Some(places)
        }
        // An offer is settled once; what comes after the place was freed changes nothing.
        Command::Settle { offer, .. } => settled(offer),
        Command::Release { application } => call.scroll.out.contains(application),
        Command::Tick => call.due_on().is_none_or(|due| due > ctx.today()),
    }
}

fn facts(
    call: &Call,
    command: &Command,
    around: &Surroundings,
    ctx: &Context<'_>,
) -> Result<Vec<Own>, Rejection> {
    let today = ctx.today();
    Ok(match command {
        Command::Draft { plan } => vec![Drafted { plan: plan.clone() }.into()],
        Command::Revise { plan } => vec![Revised { plan: plan.clone() }.into()],
        Command::Publish { act, seed_commitment } => vec![
            CallPublished {
                published_on: today,
                act: act.trim().to_owned(),
                criteria_sha256: around.criteria_sha256.clone(),
                seed_commitment: seed_commitment.clone(),
            }
            .into(),
        ],
        Command::RevealSeed { seed, public_draw } => {
            vec![SeedRevealed { seed: seed.clone(), public_draw: public_draw.clone() }.into()]
        }
        Command::PublishProvisional => {
            let until = observations_end(call, today, ctx)?;
            let within = plan(call)?.criteria.observations_within;
            let mut events = pages(around.ranking.as_ref(), ctx);
            events.extend(published(around.ranking.as_ref(), ctx).map(|p| {
                Own::from(RankingPublished {
                    stage: Stage::Provisional,
                    observations_within: Some(within),
                    observations_until: Some(until),
                    ..p
                })
            }));
            events
        }
        Command::ApproveDefinitive { act } => {
            let mut events = pages(around.ranking.as_ref(), ctx);
            events.extend(published(around.ranking.as_ref(), ctx).map(|p| {
                let act = Some(act.trim().to_owned());
                Own::from(RankingPublished { stage: Stage::Definitive, act, ..p })
            }));
            events
        }
        Command::StartOffers => {
            let mut events = vec![Own::from(OfferingStarted { started_on: today })];
            let within = plan(call)?.criteria.offer_within;
            let due = call.ranking().map(|d| call.scroll.first_round(d)).unwrap_or_default();
            let mut scroll = call.scroll.clone();
            for due in due {
                events.push(offer(due, within, false, &mut scroll, events.len(), ctx));
            }
            fill(call, scroll, &mut events, ctx)?;
            events
        }
        Command::ChangePlaces { list, places, act } => {
            let act = act.trim().to_owned();
            let changed = PlacesChanged { list: list.clone(), places: *places, act };
            let mut scroll = call.scroll.clone();
            scroll.places.insert(list.clone(), *places);
            let mut events = vec![changed.into()];
            fill(call, scroll, &mut events, ctx)?;
            events
        }
        Command::Settle { offer, outcome } => {
            let mut scroll = call.scroll.clone();
            scroll.settle(*offer, *outcome);
            let mut events = vec![OfferSettled { offer: *offer, outcome: *outcome }.into()];
            fill(call, scroll, &mut events, ctx)?;
            events
        }
        Command::Release { application } => {
            let mut scroll = call.scroll.clone();
            let held = scroll.offers.values();
            let held = held.filter(|o| o.application == *application && o.keeps_a_place());
            let frees = held.map(|o| o.list.clone()).collect();
            scroll.release(*application);
            let mut events = vec![ApplicationReleased { application: *application, frees }.into()];
            fill(call, scroll, &mut events, ctx)?;
            events
        }
        Command::Tick => tick(call, around)?,
    })
}

/// Offers every place that is free, one after the other, each to the next in line.
fn fill(
    call: &Call,
    mut scroll: Scroll,
    events: &mut Vec<Own>,
    ctx: &Context<'_>,
) -> Result<(), Rejection> {
    let offering = call.phase == Phase::Offering
        || events.iter().any(|e| matches!(e, Own::OfferingStarted(_)));
    let Some(document) = call.ranking().filter(|_| offering) else { return Ok(()) };
    let within = plan(call)?.criteria.scrolled_offer_within;
    while let Some(due) = scroll.next_due(document) {
        events.push(offer(due, within, true, &mut scroll, events.len(), ctx));
    }
    Ok(())
}

fn offer(
    due: Due,
    within: Length,
    scrolled: bool,
    scroll: &mut Scroll,
    index: usize,
    ctx: &Context<'_>,
) -> Own {
    let offer = EntryId(ctx.new_id(&format!("offer {index}")));
    let held = Held {
        application: due.application,
        list: due.list.clone(),
        reserve: due.reserve.clone(),
        state: OfferState::Open,
    };
    scroll.offer(offer, held);
    PlaceOffered {
        offer,
        application: due.application,
        list: due.list,
        reserve: due.reserve,
        rank: due.rank,
        offered_on: ctx.today(),
        answer_within: within,
        scrolled,
    }
    .into()
}

/// The text cut at line ends, so that each part is readable by itself.
fn pages(ranking: Option<&Prepared>, ctx: &Context<'_>) -> Vec<Own> {
    let ranking_id = EntryId(ctx.new_id("ranking"));
    let mut rest = ranking.map_or("", |r| r.text.as_str());
    let mut events = Vec::new();
    while !rest.is_empty() {
        let most = rest.len().min(PAGE_BYTES);
        let window = rest.get(..most).unwrap_or(rest);
        let end =
            if most == rest.len() { most } else { window.rfind('\n').map_or(most, |n| n + 1) };
        let (page, after) = rest.split_at(end);
        let number = u32::try_from(events.len()).unwrap_or(u32::MAX);
        events
            .push(RankingPage { ranking: ranking_id, page: number, text: page.to_owned() }.into());
        rest = after;
    }
    events
}

fn published(ranking: Option<&Prepared>, ctx: &Context<'_>) -> Option<RankingPublished> {
    let ranking = ranking?;
    Some(RankingPublished {
        ranking: EntryId(ctx.new_id("ranking")),
        stage: Stage::Provisional,
        published_on: ctx.today(),
        as_of_position: ranking.as_of_position,
        sha256: ranking.sha256.clone(),
        pages: u32::try_from(pages(Some(ranking), ctx).len()).unwrap_or(u32::MAX),
        applications: ranking.applications,
        observations_within: None,
        observations_until: None,
        act: None,
    })
}

/// What the clock has due, with its legal instant, however late it is asked.
fn tick(call: &Call, around: &Surroundings) -> Result<Vec<Own>, Rejection> {
    let plan = plan(call)?;
    Ok(match call.phase {
        Phase::Published => vec![WindowOpened { legal_at: legal_at(plan.opens_on) }.into()],
        Phase::WindowOpen => {
            vec![WindowClosed { legal_at: first_instant_after(plan.closes_on) }.into()]
        }
        Phase::Provisional => match &call.provisional {
            // Where somebody objected, the office answers and approves.
            Some(p) if around.observations == 0 => {
                let until = p.facts.observations_until.unwrap_or(p.facts.published_on);
                vec![
                    RankingBecameDefinitive {
                        ranking: p.facts.ranking,
                        observations_until: until,
                        legal_at: first_instant_after(until),
                    }
                    .into(),
                ]
            }
            _ => Vec::new(),
        },
        Phase::Definitive | Phase::Offering => {
            let legal_at = first_instant_after(plan.ends_on);
            vec![CallClosed { ended_on: plan.ends_on, legal_at }.into()]
        }
        Phase::NotDrafted | Phase::Drafted | Phase::Scoring | Phase::Closed => Vec::new(),
    })
}
