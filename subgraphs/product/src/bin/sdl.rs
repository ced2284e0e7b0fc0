//! Prints the subgraph's schema.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(product::graphql::sdl().as_bytes())
}
