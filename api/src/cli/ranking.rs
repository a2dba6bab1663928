//! `pratica ranking`: what a family or a court does with a ranking. Nothing is asked of a server.

use super::exit::Failure;
use super::output::{self, Format};
use anyhow::{Context as _, anyhow};
use pratica_domain::ranking::{OF_LOTS, Verified, commitment_of, is_of_lots, moves, read, verify};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The commands about rankings.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Ranking {
    /// Compute a ranking again from its file: orders, places, lots, every byte.
    Verify {
        /// The file, as ExportRanking gives it.
        file: PathBuf,
        /// The hash that was published; another one is a failure.
        #[arg(long)]
        sha256: Option<String>,
        /// Show where one application stands, by its number.
        #[arg(long)]
        application: Option<uuid::Uuid>,
    },
    /// Compare two rankings and explain every move.
    Diff {
        /// The provisional one.
        old: PathBuf,
        /// The definitive one.
        new: PathBuf,
    },
    /// The hash of a seed, to be published with a call before the seed itself.
    Commit {
        /// The seed: letters, digits, `-` and `.`, at most 64; draw it so that nobody can guess it.
        seed: String,
    },
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn run(ranking: &Ranking, format: Format) -> Result<(), Failure> {
    match ranking {
        Ranking::Verify { file, sha256: expected, application } => {
            let verified = verified(file)?;
            if let Some(expected) = expected.as_ref().filter(|e| **e != verified.sha256) {
                let found = &verified.sha256;
                return Err(anyhow!("the hash is {found}: {expected} was published").into());
            }
            show(&verified, *application, format)
        }
        Ranking::Diff { old, new } => {
            let text =
                |path| Ok::<_, Failure>(read(&contents(path)?).map_err(anyhow::Error::from)?);
            for m in moves(&text(old)?, &text(new)?) {
                let place = |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
                let keys: Vec<String> =
                    m.why.keys.iter().map(|(k, from, to)| format!("{k} {from} -> {to}")).collect();
                println!(
                    "{} {} {} -> {}  {}  crossed by {}",
                    m.list,
                    m.application,
                    place(m.from),
                    place(m.to),
                    keys.join(", "),
                    m.why.crossed.len()
                );
            }
            Ok(())
        }
        Ranking::Commit { seed } if !is_of_lots(seed) => {
            Err(anyhow!("a seed is {OF_LOTS}: a call could not reveal this one").into())
        }
        Ranking::Commit { seed } => {
            println!("{}", commitment_of(seed, sha256));
            Ok(())
        }
    }
}

fn contents(path: &Path) -> Result<String, Failure> {
    Ok(std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the ranking {}", path.display()))?)
}

fn verified(path: &Path) -> Result<Verified, Failure> {
    let text = contents(path)?;
    Ok(verify(&text, sha256).with_context(|| format!("{} does not hold", path.display()))?)
}

fn show(
    verified: &Verified,
    application: Option<uuid::Uuid>,
    format: Format,
) -> Result<(), Failure> {
    let document = &verified.document;
    let input = &document.input;
    let seated = document.ranking.seats.iter().filter(|s| s.is_some()).count();
    let mut places = Vec::new();
    if let Some(id) = application {
        let place = input
            .find(pratica_domain::ids::CaseId(id))
            .ok_or_else(|| anyhow!("the ranking has no application {id}"))?;
        for (list, rows) in input.lists().iter().zip(&document.ranking.orders) {
            if let Some(at) = rows.iter().position(|r| r.application as usize == place) {
                let by = at.checked_sub(1).map_or("-", |above| document.deciding(&rows[above]));
                places.push((list.id.to_string(), at + 1, rows.len(), by.to_owned()));
            }
        }
    }
    if format == Format::Json {
        output::json(&serde_json::json!({
            "sha256": verified.sha256, "call": document.header.call.to_string(),
            "stage": document.header.stage, "criteria": document.header.criteria,
            "applications": input.applications().len(), "lists": input.lists().len(),
            "seats": seated, "places": places,
        }));
        return Ok(());
    }
    output::pairs(&[
        ("holds", "every order, place and lot comes out as the file says".to_owned()),
        ("sha256", verified.sha256.clone()),
        ("call", document.header.call.to_string()),
        ("ranking", document.header.stage.as_str().to_owned()),
        ("criteria", document.header.criteria.clone()),
        ("applications", input.applications().len().to_string()),
        ("lists", input.lists().len().to_string()),
        ("places given", seated.to_string()),
    ]);
    for (list, at, of, by) in places {
        println!("{list}: {at} of {of}, after the one above by {by}");
    }
    Ok(())
}
