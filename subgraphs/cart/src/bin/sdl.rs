//! Prints cart's SDL.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(cart::sdl().as_bytes())
}
