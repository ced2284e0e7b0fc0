//! Prints the SDL of webhook.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(webhook::sdl().as_bytes())
}
