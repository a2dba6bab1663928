//! The binary `pratica`.

fn main() {}
