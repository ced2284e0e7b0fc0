//! Prints inventory's SDL.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(inventory::sdl().as_bytes())
}
