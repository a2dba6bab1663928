//! S1: the last hour of an enrolment window: many clients file at once, some send everything twice.
//! None may be lost, none doubled.

use crate::Size;
use crate::figures::{Rate, Times};
use crate::place::{COMUNE, Place};
use crate::report::Report;
use crate::serving;
use pratica_api::demo::{SCHOOL_OFFICER, Town, family_form, publish_call};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Instant;
use uuid::Uuid;

const FILE: &str = "pratica.enrolment.v1.EnrolmentService/FileApplication";
const LIST: &str = "pratica.enrolment.v1.CallService/ListCalls";

pub(crate) async fn run(size: &Size, report: &mut Report) -> anyhow::Result<()> {
    let (clients, applications) = size.window;
    let mut place = Place::open(&size.directory.join("s1"))?;
    let (served, key) = serving::pratica(&mut place).await?;
    let failed = |e| anyhow::anyhow!("{e:?}");
    let mut town = Town::new(COMUNE, &served.url, key.clone());
    let call = publish_call(&mut town, Uuid::from_u128(1)).await.map_err(failed)?;
    let begun = Instant::now();
    let mut tasks = Vec::with_capacity(clients);
    for client in 0..clients {
        let (mut town, call) = (Town::new(COMUNE, &served.url, key.clone()), call.clone());
        tasks.push(tokio::spawn(async move {
            let (mut cases, mut times) = (BTreeSet::new(), Times::default());
            for n in (client..applications).step_by(clients) {
                // One in ten is sent twice.
                for _ in 0..=usize::from(n.is_multiple_of(10)) {
                    let mut form = family_form(&call, n);
                    form["request_id"] = json!(Uuid::from_u128(1_000 + n as u128));
                    let one = Instant::now();
                    let answer = town.call(SCHOOL_OFFICER, FILE, form).await.map_err(failed)?;
                    times.add(one.elapsed());
                    cases.insert(answer["outcome"]["case_id"].to_string());
                }
            }
            anyhow::Ok((cases, times))
        }));
    }
    let (mut cases, mut times) = (BTreeSet::new(), Times::default());
    for task in tasks {
        let (own, took) = task.await??;
        cases.extend(own);
        times.join(took);
    }
    let took = begun.elapsed();
    let head = place.open_town()?.town.log.head().await?.get();
    let counted =
        town.call(SCHOOL_OFFICER, LIST, json!({ "min_position": head })).await.map_err(failed)?;
    let counted = counted["calls"][0]["applications"].as_u64().unwrap_or_default();
    anyhow::ensure!(
        cases.len() == applications && counted == applications as u64,
        "{} cases, {counted} counted, {applications} filed",
        cases.len()
    );
    let mut rate = Rate::default();
    rate.add(times, took);
    report.rate(&format!("file an application, {clients} clients, {applications} of them"), &rate);
    report.note(format!(
        "S1 {applications} applications from {clients} clients, one in ten sent twice: none lost, \
         none doubled, the last number answered"
    ));
    served.stop().await
}
