//! School calls over the wire, through the manual clock.

use pratica_api::demo::play_school;
use pratica_tests::{COMUNE, Server, fault};

type Test = anyhow::Result<()>;

/// The demonstration checks each of its steps itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_sixty_children_over_four_schools_lives_its_whole_year() -> Test {
    let server = Server::start_with(&[COMUNE], "2026-02-01T07:00:00Z").await?;
    let mut town = server.town();
    let mut told = Vec::new();
    let cohort = play_school(&mut town, &mut |line| told.push(line.to_owned())).await;
    let cohort = cohort.map_err(|e| anyhow::anyhow!("after {told:#?}: {:?}", fault(e)))?;
    assert_eq!(cohort.cases.len(), 60);
    assert_eq!(told.len(), 11, "{told:#?}");
    // What the views hold of calls, lists, offers and rankings is built again the same.
    server.views_equal_a_rebuild().await?;
    let events = server.head().await?;
    assert!(events > 500, "{events} events");
    server.stop().await
}
