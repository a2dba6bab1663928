//! The client commands: what a clerk, an analyst or an administrator does at a terminal.

use super::client::{Client, Connection};
use super::commands::{RPCS, rpc};
use super::exit::Failure;
use super::output::{self, Format};
use super::{fill, serve, show};
use serde_json::{Value, json};

/// What every client command needs.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    #[command(flatten)]
    connection: Connection,
    /// The comune.
    #[arg(long, env = "PRATICA_COMUNE")]
    comune: String,
}

/// The client commands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Ask {
    /// File a declaration: opens a case and prints its receipt.
    File {
        #[command(flatten)]
        common: Common,
        /// The request as JSON (`-` for standard input), as in docs/api.md.
        form: String,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
        /// The id of the request; keep it to try again.
        #[arg(long)]
        request_id: Option<uuid::Uuid>,
    },
    /// List cases, newest first.
    List {
        #[command(flatten)]
        common: Common,
        /// Narrow by a field of the filter, such as procedure=residency or open_state=open.
        #[arg(long = "filter", value_name = "FIELD=VALUE")]
        filters: Vec<String>,
        /// How many.
        #[arg(long, default_value_t = 50)]
        size: u32,
    },
    /// Find cases by protocol number, fiscal code, name or reference.
    Search {
        #[command(flatten)]
        common: Common,
        /// What to look for.
        query: String,
    },
    /// Show a case.
    Show {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
    },
    /// Tell the history of a case.
    Timeline {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
    },
    /// Show what was written in a case: messages, requests, notices, observations, notes.
    Correspondence {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
    },
    /// Explain the terms of a case: events, rule, calendar, arithmetic.
    Deadlines {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
    },
    /// Say what may be done with a case, and for the rest why not and what would unblock it.
    Actions {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
    },
    /// Send a command to a case.
    Act {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
        /// The command, such as residency.register; `pratica actions` lists them.
        command: String,
        /// A field of the request, such as reasons="..." or appeal.term_days=30; repeat.
        #[arg(long = "set", value_name = "FIELD=VALUE")]
        set: Vec<String>,
        /// The etag last seen; without it the case is read first.
        #[arg(long)]
        etag: Option<String>,
        /// Only say what would happen.
        #[arg(long)]
        dry_run: bool,
        /// The id of the request; keep it to try again.
        #[arg(long)]
        request_id: Option<uuid::Uuid>,
    },
    /// Follow a case: its state and every change.
    Watch {
        #[command(flatten)]
        common: Common,
        /// The case.
        case: String,
    },
    /// Show the worklist.
    Worklist {
        #[command(flatten)]
        common: Common,
        /// A field of the query, such as queue=overdue, office=anagrafe, due_within_days=7; repeat.
        #[arg(long = "filter", value_name = "FIELD=VALUE")]
        filters: Vec<String>,
    },
    /// Show the protocol register, newest first.
    Register {
        #[command(flatten)]
        common: Common,
    },
    /// Show statistics: real times against the legal term.
    Statistics {
        #[command(flatten)]
        common: Common,
    },
    /// Print events of a case or of the whole log, one JSON object a line.
    History {
        #[command(flatten)]
        common: Common,
        /// One case only.
        #[arg(long)]
        case: Option<String>,
        /// Strictly after this position.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// Only these event types, or areas such as `residency.`; repeat.
        #[arg(long = "type")]
        types: Vec<String>,
    },
    /// Call any rpc of the contract with JSON.
    Call {
        #[command(flatten)]
        connection: Connection,
        /// The method, such as pratica.cases.v1.CasesService/GetCase.
        method: String,
        /// The request as JSON (`-` for standard input).
        #[arg(default_value = "{}")]
        request: String,
    },
}

/// Runs a client command.
pub(crate) fn run(ask: Ask, format: Format) -> Result<(), Failure> {
    serve::runtime()?.block_on(answer(ask, format))
}

async fn answer(ask: Ask, format: Format) -> Result<(), Failure> {
    use Ask::{
        Act, Actions, Call, Correspondence, Deadlines, File, History, List, Register, Search, Show,
        Statistics, Timeline, Watch, Worklist,
    };
    const CASES: &str = "pratica.cases.v1.CasesService";
    let one = |common: &Common, case: &str| json!({ "comune": common.comune, "case_id": case });
    match ask {
        File { common, form, dry_run, request_id } => {
            let mut request = read_json(&form)?;
            let id = request_id.unwrap_or_else(uuid::Uuid::new_v4);
            request["comune"] = json!(common.comune);
            request["request_id"] = json!(id);
            request["validate_only"] = json!(dry_run);
            let client = Client::connect(&common.connection).await?;
            eprintln!("request_id {id}");
            let method = rpc("residency.declare").unwrap_or_default();
            let answer = client.call(method, request).await?;
            print(format, &answer, |a| show::outcome(&a["outcome"]));
        }
        List { common, filters, size } => {
            let client = Client::connect(&common.connection).await?;
            let method = format!("{CASES}/ListCases");
            let mut request = json!({ "comune": common.comune, "page_size": size });
            set_all(&client, &method, &mut request, "filter.", &filters)?;
            let answer = client.call(&method, request).await?;
            print(format, &answer, |a| show::cases(show::items(a, "cases")));
        }
        Search { common, query } => {
            let client = Client::connect(&common.connection).await?;
            let request = json!({ "comune": common.comune, "query": query });
            let answer = client.call(&format!("{CASES}/SearchCases"), request).await?;
            print(format, &answer, |a| show::cases(show::items(a, "cases")));
        }
        Show { common, case } => {
            let client = Client::connect(&common.connection).await?;
            let answer = client.call(&format!("{CASES}/GetCase"), one(&common, &case)).await?;
            print(format, &answer, |a| show::case(&a["case"]));
        }
        Timeline { common, case } => {
            let client = Client::connect(&common.connection).await?;
            let mut request = one(&common, &case);
            request["page_size"] = json!(200);
            let answer = client.call(&format!("{CASES}/GetTimeline"), request).await?;
            print(format, &answer, |a| show::timeline(show::items(a, "entries")));
        }
        Correspondence { common, case } => {
            let client = Client::connect(&common.connection).await?;
            let request = json!({ "comune": common.comune, "case_id": case });
            let answer = client.call(&format!("{CASES}/ListCorrespondence"), request).await?;
            print(format, &answer, |a| show::correspondence(show::items(a, "entries")));
        }
        Deadlines { common, case } => {
            let client = Client::connect(&common.connection).await?;
            let method = format!("{CASES}/ExplainDeadlines");
            let answer = client.call(&method, one(&common, &case)).await?;
            print(format, &answer, |a| show::deadlines(show::items(a, "deadlines"), true));
        }
        Actions { common, case } => {
            let client = Client::connect(&common.connection).await?;
            let method = format!("{CASES}/GetAvailableActions");
            let answer = client.call(&method, one(&common, &case)).await?;
            print(format, &answer, |a| show::actions(show::items(a, "actions")));
        }
        Act { common, case, command, set, etag, dry_run, request_id } => {
            let client = Client::connect(&common.connection).await?;
            let Some(method) = rpc(&command) else {
                let known: Vec<&str> = RPCS.iter().map(|(name, _)| *name).collect();
                return Err(Failure::Usage(format!(
                    "there is no command {command}; there are: {}",
                    known.join(", ")
                )));
            };
            let etag = match etag {
                Some(etag) => etag,
                // Who keeps the archive may not read the case; a hold rests on nothing it says.
                None if command == "case.place_hold" => String::new(),
                None => {
                    let read =
                        client.call(&format!("{CASES}/GetCase"), one(&common, &case)).await?;
                    show::field(&read, "case.summary.etag")
                }
            };
            let id = request_id.unwrap_or_else(uuid::Uuid::new_v4);
            let mut request = json!({
                "comune": common.comune, "case_id": case, "request_id": id, "etag": etag,
                "validate_only": dry_run,
            });
            set_all(&client, method, &mut request, "", &set)?;
            eprintln!("request_id {id}");
            let answer = client.call(method, request).await?;
            print(format, &answer, |a| show::outcome(&a["outcome"]));
        }
        Watch { common, case } => {
            let client = Client::connect(&common.connection).await?;
            let method = format!("{CASES}/WatchCase");
            client
                .stream(&method, one(&common, &case), |message| {
                    if format == Format::Json {
                        println!("{message}");
                    } else if message["case"].is_object() {
                        show::case(&message["case"]);
                        println!();
                    }
                    Ok(true)
                })
                .await?;
        }
        Worklist { common, filters } => {
            let client = Client::connect(&common.connection).await?;
            let method = "pratica.worklist.v1.WorklistService/ListWorklist";
            let mut request = json!({ "comune": common.comune });
            set_all(&client, method, &mut request, "query.", &filters)?;
            let answer = client.call(method, request).await?;
            print(format, &answer, |a| show::cases(show::items(a, "cases")));
        }
        Register { common } => {
            let client = Client::connect(&common.connection).await?;
            let method = "pratica.register.v1.RegisterService/ListRegistrations";
            let answer = client.call(method, json!({ "comune": common.comune })).await?;
            print(format, &answer, |a| show::registrations(show::items(a, "registrations")));
        }
        Statistics { common } => {
            let client = Client::connect(&common.connection).await?;
            let method = "pratica.statistics.v1.StatisticsService/GetStatistics";
            let answer = client.call(method, json!({ "comune": common.comune })).await?;
            print(format, &answer, show::statistics);
        }
        History { common, case, after, types } => {
            let client = Client::connect(&common.connection).await?;
            let request = json!({
                "comune": common.comune, "case_id": case.unwrap_or_default(),
                "after_position": after, "event_types": types,
            });
            let method = "pratica.history.v1.HistoryService/ReadEvents";
            client
                .stream(method, request, |message| {
                    if message["event"].is_object() {
                        println!("{}", message["event"]);
                    }
                    Ok(true)
                })
                .await?;
        }
        Call { connection, method, request } => {
            let client = Client::connect(&connection).await?;
            let request = read_json(&request)?;
            if client.method(&method)?.is_server_streaming() {
                let each = |message: Value| {
                    println!("{message}");
                    Ok(true)
                };
                client.stream(&method, request, each).await?;
            } else {
                output::json(&client.call(&method, request).await?);
            }
        }
    }
    Ok(())
}

fn print(format: Format, answer: &Value, table: impl FnOnce(&Value)) {
    match format {
        Format::Json => output::json(answer),
        Format::Table => table(answer),
    }
}

fn set_all(
    client: &Client,
    method: &str,
    request: &mut Value,
    prefix: &str,
    pairs: &[String],
) -> Result<(), Failure> {
    let message = client.method(method)?.input();
    for pair in pairs {
        let Some((field, value)) = pair.split_once('=') else {
            return Err(Failure::Usage(format!("{pair}: must be FIELD=VALUE")));
        };
        fill::set(&message, request, &format!("{prefix}{field}"), value)?;
    }
    Ok(())
}

fn read_json(source: &str) -> Result<Value, Failure> {
    let text = match source {
        "-" => std::io::read_to_string(std::io::stdin())?,
        text if text.trim_start().starts_with('{') => text.to_owned(),
        path => std::fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("cannot read {path}: {e}")))?,
    };
    serde_json::from_str(&text).map_err(|e| Failure::Usage(format!("not JSON: {e}")))
}
