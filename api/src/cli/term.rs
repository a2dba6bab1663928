//! `pratica term`: the end of a legal term, with each step of the arithmetic.

use super::exit::Failure;
use super::output::{self, Format};
use crate::grpc::explain_steps;
use crate::messages::Language;
use jiff::civil::Date;
use pratica_domain::term::{Calendar, Length, simple_term};

/// Arguments of `pratica term`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The day from which the term runs; it is not counted (c.c. art. 2963).
    #[arg(long)]
    from: Date,
    /// Its length: 30d days, 2wd working days, 6m months, 1y years.
    #[arg(long)]
    length: Length,
    /// In working days, whether Saturday is one.
    #[arg(long)]
    saturday_is_working: bool,
    /// Language of the explanation: it or en.
    #[arg(long, default_value = "it")]
    language: String,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let calendar = Calendar::national();
    let reckoning = simple_term(args.from, args.length, args.saturday_is_working, &calendar)
        .map_err(anyhow::Error::from)?;
    if format == Format::Json {
        output::json(&serde_json::to_value(&reckoning).map_err(anyhow::Error::from)?);
        return Ok(());
    }
    let Some(end) = reckoning.end else {
        return Err(Failure::Usage("the term has no end".to_owned()));
    };
    println!("{end}");
    for step in explain_steps(&reckoning, Language::from_tag(&args.language)) {
        let article =
            if step.article.is_empty() { String::new() } else { format!("  [{}]", step.article) };
        println!("  {}{article}", step.text);
    }
    println!("  {}", reckoning.calendar_version);
    Ok(())
}
