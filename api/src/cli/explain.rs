//! `pratica explain`: what a refusal means and what would unblock it, from the message files.

use super::exit::Failure;
use super::output::{self, Format};
use crate::messages::{Language, plain};
use pratica_domain::RejectionCode;
use serde_json::json;

/// Arguments of `pratica explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code of a refusal, such as NOTICE_REQUIRED; without one, every code is listed.
    code: Option<String>,
    /// Language: it or en.
    #[arg(long, default_value = "it")]
    language: String,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let language = Language::from_tag(&args.language);
    let wanted = args.code.as_ref().map(|c| c.to_ascii_uppercase());
    let codes: Vec<RejectionCode> = RejectionCode::ALL
        .iter()
        .copied()
        .filter(|c| wanted.as_deref().is_none_or(|w| w == c.as_str()))
        .collect();
    if codes.is_empty() {
        return Err(Failure::Usage(format!(
            "no refusal has the code {}; `pratica explain` lists them",
            wanted.unwrap_or_default()
        )));
    }
    let say = |section: &str, code: RejectionCode| plain(language, &format!("{section}.{code}"));
    if format == Format::Json {
        let all: Vec<_> = codes
            .iter()
            .map(|c| json!({ "code": c.as_str(), "text": say("rejection", *c), "unblock": say("unblock", *c) }))
            .collect();
        output::json(&json!(all));
        return Ok(());
    }
    if args.code.is_none() {
        let rows: Vec<Vec<String>> =
            codes.iter().map(|c| vec![c.to_string(), say("rejection", *c)]).collect();
        output::table(&["CODE", "MEANING"], &rows);
        return Ok(());
    }
    for code in codes {
        output::pairs(&[
            ("code", code.to_string()),
            ("meaning", say("rejection", code)),
            ("what helps", say("unblock", code)),
        ]);
    }
    Ok(())
}
