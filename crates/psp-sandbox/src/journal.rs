//! The append-only journal: what happened, one JSON array of records per line, forced to disk before an answer.
//!
//! Owns the file, group commit and recovery. Must not know what a record means beyond applying it to a [`State`].
//! A line is the unit of atomicity: a crash leaves at most one torn line at the end, which was never answered.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, watch};

use crate::state::{Record, State};

/// Position of a line in the journal.
pub type Seq = u64;

/// The journal can't be written any more; nothing may be answered.
#[derive(Debug, thiserror::Error)]
#[error("the journal can't be written")]
pub struct JournalLost;

/// Where lines are handed in. Call [`Journal::append`] under the lock that guards the state, so that file and
/// memory have one order.
#[derive(Debug)]
pub struct Journal {
    lines: mpsc::UnboundedSender<(Seq, Vec<u8>)>,
    durable: watch::Receiver<Seq>,
    last: Seq,
}

/// Waits for lines to be on disk.
#[derive(Debug, Clone)]
pub struct Durable(watch::Receiver<Seq>);

impl Durable {
    /// Returns once `seq` is on disk.
    pub async fn wait(&mut self, seq: Seq) -> Result<(), JournalLost> {
        self.0
            .wait_for(|durable| *durable >= seq)
            .await
            .map(drop)
            .map_err(|_| JournalLost)
    }
}

impl Journal {
    /// Opens (or makes) the journal in `folder`, applies it to `state`, and rewrites it without what is obsolete.
    pub fn open(folder: &Path, state: &mut State) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("journal.ndjson");
        recover(&path, state)?;
        let file = compact(folder, &path, state)?;
        let (lines, receiver) = mpsc::unbounded_channel();
        let (progress, durable) = watch::channel(0);
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                if let Err(error) = write_lines(file, receiver, &progress) {
                    tracing::error!(%error, "the journal can't be written; no request is answered any more");
                }
            })?;
        Ok(Self {
            lines,
            durable,
            last: 0,
        })
    }

    /// Hands in one line and returns its position.
    pub fn append(&mut self, records: &[Record]) -> io::Result<Seq> {
        let mut line = serde_json::to_vec(records)?;
        line.push(b'\n');
        self.last += 1;
        self.lines
            .send((self.last, line))
            .map_err(|_| io::Error::other(JournalLost))?;
        Ok(self.last)
    }

    /// The last position handed in.
    pub fn last(&self) -> Seq {
        self.last
    }

    /// A handle to wait with, outside the lock.
    pub fn durable(&self) -> Durable {
        Durable(self.durable.clone())
    }
}

fn recover(path: &Path, state: &mut State) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if line.last() != Some(&b'\n') {
            tracing::warn!("dropping a torn line at the end of the journal");
            break;
        }
        let records: Vec<Record> = serde_json::from_slice(&line)?;
        for record in records {
            state.apply(record);
        }
        line.clear();
    }
    Ok(())
}

fn compact(folder: &Path, path: &Path, state: &State) -> io::Result<File> {
    let fresh: PathBuf = folder.join("journal.ndjson.new");
    let mut file = io::BufWriter::new(File::create(&fresh)?);
    for record in state.snapshot() {
        serde_json::to_writer(&mut file, &[record])?;
        file.write_all(b"\n")?;
    }
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    std::fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()?;
    OpenOptions::new().append(true).open(path)
}

/// Writes whatever has gathered since the last write with one `fdatasync` (group commit).
fn write_lines(
    mut file: File,
    mut lines: mpsc::UnboundedReceiver<(Seq, Vec<u8>)>,
    progress: &watch::Sender<Seq>,
) -> io::Result<()> {
    while let Some((mut last, mut buffer)) = lines.blocking_recv() {
        while let Ok((seq, line)) = lines.try_recv() {
            last = seq;
            buffer.extend_from_slice(&line);
        }
        file.write_all(&buffer)?;
        file.sync_data()?;
        progress.send_replace(last);
    }
    Ok(())
}
