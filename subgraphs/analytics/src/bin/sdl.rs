//! Prints the SDL of analytics.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(analytics::sdl().as_bytes())
}
