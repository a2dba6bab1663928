//! The fiscal code.
