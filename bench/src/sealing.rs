//! S2: what sealing and the tree cost: the appends of W1, and those of a filing as in W2, with both
//! and with neither.
//!
//! The product has no plain storage: what stands here as plain is written by hand past the codec,
//! for the comparison alone.

use crate::Size;
use crate::figures::{Figure, Rate, Times};
use crate::machine::Usage;
use crate::report::{Goal, Report};
use jiff::Timestamp;
use pratica_domain::Event;
use pratica_domain::case;
use pratica_domain::ids::{EntryId, SubjectId};
use pratica_domain::people::{Person, Personal};
use pratica_store::evidence::Tree;
use pratica_store::{
    AppendRequest, Delivery, EventAppender as _, EventReader, Expected, Filter, MasterKey,
    Metadata, NewEvent, Position, SqliteLog, StreamName, Subscription, Vault, codec, sqlite,
};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use uuid::Uuid;

const WRITERS: usize = 64;
/// Events that the tree takes at a time, as the server has it.
const BATCH: usize = 500;

/// One variant: a log, and what stands beside it.
struct Side {
    log: Arc<SqliteLog>,
    vault: Option<Arc<Vault>>,
    rates: [Rate; 2],
    /// Processor time an append, in microseconds: what is true when others use the machine too.
    processor: [Figure; 2],
}

/// What is appended together.
#[derive(Clone, Copy)]
enum Work {
    /// One event with a short text.
    One,
    /// A person, a message and a note, as a filing has them.
    Filing,
}

pub(crate) fn run(runtime: &Runtime, size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let mut plain = side(&size.directory, "s2-plain", false)?;
    let mut sealed = side(&size.directory, "s2-sealed", true)?;
    let tree = Arc::new(Tree::open(&size.directory.join("s2-evidence.db"))?);
    let reader: Arc<dyn EventReader> = Arc::clone(&sealed.log) as Arc<dyn EventReader>;
    let following = runtime.spawn(follow(Arc::clone(&tree), reader));
    let slice = Duration::from_millis(size.slice_ms);
    for _ in 0..size.runs {
        for (n, work) in [Work::One, Work::Filing].into_iter().enumerate() {
            for side in [&mut plain, &mut sealed] {
                let before = Usage::now();
                let (times, took) = runtime.block_on(append(side, work, slice))?;
                side.processor[n].add(before.own_us_since() / times.count().max(1) as f64);
                side.rates[n].add(times, took);
            }
        }
    }
    let names = ["W1, one event", "a filing's three events, as in W2"];
    for (n, name) in names.into_iter().enumerate() {
        report.rate(&format!("{name}: plain, no tree (by hand)"), &plain.rates[n]);
        report.rate(&format!("{name}: sealed, with the tree"), &sealed.rates[n]);
        let (of, over): (&Figure, &Figure) =
            (&sealed.rates[n].per_second, &plain.rates[n].per_second);
        report.ratio(&format!("{name}: sealed over plain"), of, over, Some(Goal::AtLeast(0.8)));
        let (plain, sealed) = (&plain.processor[n], &sealed.processor[n]);
        report.row(format!("{name}: plain, processor time an append"), "us", plain, None);
        report.row(format!("{name}: sealed, processor time an append"), "us", sealed, None);
        let share = format!("{name}: processor time of plain over sealed");
        report.ratio(&share, plain, sealed, None);
    }
    let head = runtime.block_on(sealed.log.head())?.get();
    let caught_up = Instant::now();
    while tree.size()? < head {
        anyhow::ensure!(!following.is_finished(), "the tree stopped following");
        std::thread::yield_now();
    }
    report.note(format!(
        "the tree held all {head} events {} ms after the last append",
        caught_up.elapsed().as_millis()
    ));
    following.abort();
    Ok(())
}

fn side(directory: &Path, name: &str, is_sealed: bool) -> anyhow::Result<Side> {
    let path = directory.join(format!("{name}.db"));
    let log = Arc::new(SqliteLog::open(&path, sqlite::Options::default())?);
    let vault = match is_sealed {
        true => {
            let keys = directory.join(format!("{name}-keys.db"));
            Some(Arc::new(Vault::open(&keys, &MasterKey::generate()?)?))
        }
        false => None,
    };
    Ok(Side { log, vault, rates: Default::default(), processor: Default::default() })
}

/// Keeps the tree up with the log, as the server does.
async fn follow(tree: Arc<Tree>, log: Arc<dyn EventReader>) -> anyhow::Result<()> {
    let mut subscription = Subscription::new(log, Position::START, Filter::all()).batch(BATCH);
    loop {
        if let Delivery::Events { events, .. } = subscription.next().await? {
            let tree = Arc::clone(&tree);
            tokio::task::spawn_blocking(move || tree.append(&events)).await??;
        }
    }
}

async fn append(side: &Side, work: Work, slice: Duration) -> anyhow::Result<(Times, Duration)> {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (log, vault) = (Arc::clone(&side.log), side.vault.clone());
            tokio::spawn(async move { writer(&log, vault.as_deref(), work, begun + slice).await })
        })
        .collect();
    let mut all = Times::default();
    for task in tasks {
        all.join(task.await??);
    }
    Ok((all, begun.elapsed()))
}

async fn writer(
    log: &SqliteLog,
    vault: Option<&Vault>,
    work: Work,
    until: Instant,
) -> anyhow::Result<Times> {
    let now = Timestamp::from_second(1_772_000_000)?;
    let mut times = Times::default();
    while Instant::now() < until {
        let case = Uuid::new_v4();
        let stream = StreamName::parse(&format!("collina.residency-{case}"))?;
        let begun = Instant::now();
        let mut events = Vec::new();
        for event in facts(case, work) {
            events.push(match vault {
                Some(vault) => {
                    codec::encode(&event, Uuid::new_v4(), &stream, now, metadata(), vault)?
                }
                None => NewEvent {
                    id: Uuid::new_v4(),
                    event_type: Cow::Borrowed(event.event_type()),
                    schema_version: event.schema_version(),
                    occurred_at: now,
                    payload: codec::payload(&event)?,
                    metadata: metadata(),
                },
            });
        }
        let request = AppendRequest {
            stream,
            expected: Expected::NoStream,
            events,
            request: None,
            recorded_at: now,
        };
        log.append(request).await?;
        times.add(begun.elapsed());
    }
    Ok(times)
}

fn metadata() -> Metadata {
    Metadata {
        actor: "anna.rossi".to_owned(),
        role: "officer".to_owned(),
        on_behalf_of: None,
        request_id: None,
        correlation_id: Uuid::from_u128(0x018f_7c1e_6c5b_7d4a_9b1f_2f6f_0a4c_9b13),
        causation_id: None,
        rules_version: "italy-2026".to_owned(),
    }
}

fn facts(case: Uuid, work: Work) -> Vec<Event> {
    let subject = SubjectId(case);
    let words = |text: &str| Personal::new(subject, text.repeat(4));
    let note = case::NoteAdded {
        note: EntryId(case),
        text: words("The landlord has called about the second key. "),
    };
    let note = Event::Case(note.into());
    match work {
        Work::One => vec![note],
        Work::Filing => {
            let person = Person {
                given_name: "Ada".to_owned(),
                family_name: "Rossi".to_owned(),
                fiscal_code: None,
                birth_date: None,
                contact: Some("ada.rossi@example.it".to_owned()),
            };
            let person = Personal::new(subject, person);
            let party = case::PartyAdded {
                subject,
                role: case::PartyRole::Applicant,
                person,
                account: Some("cie.4711".to_owned()),
            };
            let message = case::MessageSent {
                message: EntryId(case),
                direction: case::Direction::Incoming,
                text: words("We have moved to the new address with both children. "),
                documents: Vec::new(),
            };
            vec![Event::Case(party.into()), Event::Case(message.into()), note]
        }
    }
}
