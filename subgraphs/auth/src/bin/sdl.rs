//! Prints auth's SDL.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(auth::sdl().as_bytes())
}
