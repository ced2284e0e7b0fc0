//! Composes the supergraph natively with Apollo's own library.
fn main() {}
