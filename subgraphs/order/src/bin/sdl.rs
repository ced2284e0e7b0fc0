//! Prints the subgraph's SDL.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

fn main() {
    print!("{}", order::graphql::sdl());
}
