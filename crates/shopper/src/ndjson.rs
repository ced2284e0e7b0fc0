//! Files of one JSON value per line, plain or gzipped, read with bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;

/// A longer line is refused unread.
const MAX_LINE_BYTES: u64 = 1024 * 1024;

/// A line and what it holds, or why it can't be read.
#[derive(Debug)]
pub struct Line<T> {
    /// Its number, from 1.
    pub number: u64,
    /// The value.
    pub value: Result<T, String>,
}

/// The lines of a file; blank ones are left out but counted.
pub struct Lines<T> {
    reader: Box<dyn BufRead + Send>,
    number: u64,
    of: std::marker::PhantomData<fn() -> T>,
}

/// Opens a file; one whose name ends in `.gz` is unpacked on the way.
pub fn open<T: DeserializeOwned>(path: &Path) -> io::Result<Lines<T>> {
    let file = File::open(path)?;
    let reader: Box<dyn BufRead + Send> = if path.extension().is_some_and(|ending| ending == "gz") {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    };
    Ok(Lines {
        reader,
        number: 0,
        of: std::marker::PhantomData,
    })
}

/// How many lines a file has.
pub fn count(path: &Path) -> io::Result<u64> {
    let mut lines = open::<serde::de::IgnoredAny>(path)?;
    let mut total = 0;
    while lines.take_line()?.is_some() {
        total += 1;
    }
    Ok(total)
}

impl<T> Lines<T> {
    /// The bytes of the next line; `None` at the end. Of a line too long only the beginning is kept.
    fn take_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let mut limited = io::Read::take(&mut self.reader, MAX_LINE_BYTES + 1);
        if limited.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.len() as u64 > MAX_LINE_BYTES && !line.ends_with(b"\n") {
            self.skip_rest()?;
        }
        Ok(Some(line))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.reader.consume(length);
            if ended {
                return Ok(());
            }
        }
    }
}

impl<T: DeserializeOwned> Iterator for Lines<T> {
    type Item = io::Result<Line<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match self.take_line() {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let value = if line.len() as u64 > MAX_LINE_BYTES {
                Err("the line is too long".to_owned())
            } else {
                serde_json::from_slice(&line).map_err(|error| error.to_string())
            };
            return Some(Ok(Line {
                number: self.number,
                value,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(path: &Path) -> Vec<(u64, Result<u32, String>)> {
        let lines = open::<u32>(path).unwrap().map(Result::unwrap);
        lines.map(|line| (line.number, line.value)).collect()
    }

    #[test]
    fn bad_and_blank_lines_keep_their_numbers() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "1\n\nx\n4").unwrap();
        let lines = read(file.path());
        assert_eq!((lines[0].0, &lines[0].1), (1, &Ok(1)));
        assert_eq!(lines[1].0, 3);
        assert!(lines[1].1.is_err());
        assert_eq!((lines[2].0, &lines[2].1), (4, &Ok(4)));
        assert_eq!(count(file.path()).unwrap(), 4);
    }

    #[test]
    fn a_line_without_end_is_not_kept_in_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = "9".repeat(3 * 1024 * 1024);
        std::fs::write(file.path(), format!("{long}\n2\n")).unwrap();
        let lines = read(file.path());
        assert_eq!(lines[0].1, Err("the line is too long".to_owned()));
        assert_eq!((lines[1].0, &lines[1].1), (2, &Ok(2)));
    }

    #[test]
    fn gzip_is_unpacked() {
        let file = tempfile::Builder::new().suffix(".gz").tempfile().unwrap();
        let mut packer = flate2::write::GzEncoder::new(file.reopen().unwrap(), flate2::Compression::fast());
        packer.write_all(b"7\n8\n").unwrap();
        packer.finish().unwrap();
        assert_eq!(read(file.path()).len(), 2);
    }
}
