//! `pratica token`: a token signed by the server's own key, for who may read that key.

use super::exit::Failure;
use crate::grpc::auth::{Claims, ServerKey};
use anyhow::Context as _;
use pratica_domain::Role;
use pratica_domain::ids::{ComuneId, OfficeId, OfficerId};
use std::path::PathBuf;

/// Arguments of `pratica token`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory of the data, where the server's key is.
    #[arg(long, default_value = "pratica-data")]
    data: PathBuf,
    /// The role: citizen, clerk, officer, head, registrar, analyst, administrator or service.
    #[arg(long)]
    role: Role,
    /// The account: lower-case letters, digits, `.` and `_`; never a name or a fiscal code.
    #[arg(long, default_value = "operator")]
    account: OfficerId,
    /// A comune that the token is for; repeat for several. Without one it is for all.
    #[arg(long)]
    comune: Vec<ComuneId>,
    /// An office of a member of staff; repeat for several.
    #[arg(long)]
    office: Vec<OfficeId>,
    /// For how many days it is valid.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=3650))]
    days: i64,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if args.role == Role::System {
        return Err(Failure::Usage("no token is for Pratica's own processes".to_owned()));
    }
    std::fs::create_dir_all(&args.data)
        .with_context(|| format!("cannot make the directory {}", args.data.display()))?;
    let key = ServerKey::open(&args.data).map_err(anyhow::Error::from)?;
    let mut claims =
        Claims::new(args.account.as_str(), args.role, jiff::Timestamp::now(), args.days);
    claims.comuni = args.comune.iter().map(ToString::to_string).collect();
    claims.offices = args.office.iter().map(ToString::to_string).collect();
    println!("{}", key.token(&claims).map_err(anyhow::Error::from)?);
    Ok(())
}
