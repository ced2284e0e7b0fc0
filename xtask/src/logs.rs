//! `cargo xtask logs NAME`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A process, as `cargo xtask status` names it.
    name: String,
    /// Go on printing what is added.
    #[arg(long, short)]
    follow: bool,
    /// How many lines from the end.
    #[arg(long, short = 'n', default_value_t = 200)]
    lines: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let path = dev_stack::servers::log_file(&workspace::data_folder(), &arguments.name);
    let Ok(mut file) = File::open(&path) else {
        bail!("there is no log of {}", arguments.name)
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text)
        .with_context(|| path.display().to_string())?;
    let mut out = io::stdout().lock();
    out.write_all(last_lines(&text, arguments.lines))?;
    if arguments.follow {
        follow(&mut file, &mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Until the reader goes away or presses Ctrl-C.
fn follow(file: &mut File, out: &mut impl Write) -> Result<()> {
    loop {
        thread::sleep(Duration::from_millis(200));
        // Shorter than where we are: deleted and begun anew.
        if file.metadata()?.len() < file.stream_position()? {
            file.seek(SeekFrom::Start(0))?;
        }
        io::copy(file, out)?;
        out.flush()?;
    }
}

fn last_lines(text: &[u8], count: usize) -> &[u8] {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let breaks = body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    let start = breaks
        .map(|(at, _)| at + 1)
        .nth(count.saturating_sub(1))
        .unwrap_or(0);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_end() {
        assert_eq!(last_lines(b"a\nb\nc\n", 2), b"b\nc\n");
        assert_eq!(last_lines(b"a\nb\nc\n", 9), b"a\nb\nc\n");
        assert_eq!(last_lines(b"", 2), b"");
    }
}
