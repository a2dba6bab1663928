//! The catalogue of events is printed from the code. `UPDATE_EXPECT=1` rewrites it.

use pratica_api::messages::{Facts, Language, text};
use pratica_domain::Event;
use std::path::Path;

#[test]
fn the_catalogue_lists_every_event_with_its_version() -> anyhow::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md");
    let written = std::fs::read_to_string(&file)?;
    let Some((head, _)) = written.split_once("| Event |") else {
        anyhow::bail!("docs/events.md has lost its table");
    };
    let mut fresh = format!("{head}| Event | Version | What it says |\n|---|---|---|\n");
    for (name, version) in Event::types() {
        let says = text(Language::En, &format!("timeline.{name}"), &Facts::new());
        fresh.push_str(&format!("| `{name}` | {version} | {says} |\n"));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, &fresh)?;
    }
    let written = std::fs::read_to_string(&file)?;
    assert_eq!(written, fresh, "stale: UPDATE_EXPECT=1 cargo test -p pratica-tests catalogue");
    Ok(())
}
