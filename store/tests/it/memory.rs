//! The reference store keeps the contract.

use std::sync::Arc;

use pratica_store::MemoryLog;

use crate::places::InMemory;

pratica_store::conformance_suite!(InMemory(Arc::new(MemoryLog::new())));
