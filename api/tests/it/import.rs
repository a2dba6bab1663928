//! The import.
