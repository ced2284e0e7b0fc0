//! Prints the SDL of notification.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(notification::sdl().as_bytes())
}
