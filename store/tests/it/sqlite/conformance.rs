//! The SQLite store keeps the contract.

use crate::places::InDirectory;

pratica_store::conformance_suite!(InDirectory::new());
