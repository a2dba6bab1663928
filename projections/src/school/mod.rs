//! School calls in the views: what a call says, its lists with places and counts, its offers, the
//! rows of its rankings, and which applications it has.
//!
//! Rankings are read from the text that the log holds. What must never enter: a ranking computed
//! here, personal data.

pub(crate) mod query;
pub(crate) mod types;
pub(crate) mod write;

/// The tables.
pub(crate) const TABLES: &str = "
CREATE TABLE calls(
  id BLOB PRIMARY KEY, title TEXT NOT NULL, school_year INTEGER NOT NULL, phase TEXT NOT NULL,
  criteria TEXT NOT NULL, opens_on INTEGER NOT NULL, closes_on INTEGER NOT NULL,
  ends_on INTEGER NOT NULL, observations_until INTEGER, next_on INTEGER, applications INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE call_applications(
  call BLOB NOT NULL, case_id BLOB NOT NULL, choices TEXT NOT NULL, PRIMARY KEY(call, case_id)
) WITHOUT ROWID;
CREATE TABLE call_lists(
  call BLOB NOT NULL, list TEXT NOT NULL, places INTEGER NOT NULL, first_choices INTEGER NOT NULL,
  choices INTEGER NOT NULL, offered INTEGER NOT NULL, taken INTEGER NOT NULL,
  renounced INTEGER NOT NULL, lapsed INTEGER NOT NULL, PRIMARY KEY(call, list)
) WITHOUT ROWID;
CREATE TABLE call_offers(
  offer TEXT PRIMARY KEY, call BLOB NOT NULL, application BLOB NOT NULL, list TEXT NOT NULL,
  rank INTEGER NOT NULL, offered_on INTEGER NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE call_pages(
  ranking BLOB NOT NULL, page INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(ranking, page)
) WITHOUT ROWID;
CREATE TABLE call_ranks(
  call BLOB NOT NULL, stage TEXT NOT NULL, list TEXT NOT NULL, rank INTEGER NOT NULL,
  application BLOB NOT NULL, keys TEXT NOT NULL, decided_by TEXT NOT NULL, seat TEXT NOT NULL,
  PRIMARY KEY(call, stage, list, rank)
) WITHOUT ROWID;
";

/// Needed while writing too: an offer is found by its application when that leaves the lists.
pub(crate) const INDEXES: &str =
    "CREATE INDEX IF NOT EXISTS call_offers_of ON call_offers(application);
CREATE INDEX IF NOT EXISTS call_offers_open ON call_offers(call, state);";

/// The derived tables with the order that makes their content comparable.
pub(crate) const DERIVED: [(&str, &str); 6] = [
    ("calls", "id"),
    ("call_applications", "call, case_id"),
    ("call_lists", "call, list"),
    ("call_offers", "offer"),
    ("call_pages", "ranking, page"),
    ("call_ranks", "call, stage, list, rank"),
];
