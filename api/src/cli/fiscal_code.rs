//! `pratica fiscal-code`: checks a code and says what it holds. Nothing leaves the machine.

use super::exit::Failure;
use super::output::{self, Format};
use pratica_domain::people::FiscalCode;
use pratica_domain::people::fiscal_code::{FiscalCodeKind, Sex};
use pratica_domain::term::rome_date;

/// Arguments of `pratica fiscal-code`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code: 16 characters, or 11 digits.
    code: String,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let code = FiscalCode::parse(&args.code).map_err(|e| Failure::Usage(e.to_string()))?;
    let kind = match code.kind() {
        FiscalCodeKind::Person => "person",
        FiscalCodeKind::Numeric => "numeric",
    };
    let sex = code.sex().map(|s| match s {
        Sex::Male => "male",
        Sex::Female => "female",
    });
    let born = code.birth_date(rome_date(jiff::Timestamp::now())).map(|d| d.to_string());
    let replaced = code.replaced_digits();
    if format == Format::Json {
        output::json(&serde_json::json!({
            "code": code.as_str(), "valid": true, "kind": kind, "sex": sex,
            "birth_date": born, "birthplace": code.birthplace(), "replaced_digits": replaced,
        }));
        return Ok(());
    }
    let mut pairs = vec![("code", code.as_str().to_owned()), ("kind", kind.to_owned())];
    if let Some(sex) = sex {
        pairs.push(("sex", sex.to_owned()));
    }
    pairs.extend(born.map(|b| ("birth date", b)));
    pairs.extend(code.birthplace().map(|p| ("birthplace", p)));
    if replaced > 0 {
        pairs.push(("omocodia", format!("{replaced} digits replaced")));
    }
    output::pairs(&pairs);
    Ok(())
}
