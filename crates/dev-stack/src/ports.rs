//! Free TCP ports on the loopback address.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use socket2::{Domain, Socket, Type};

/// Below the range from which systems number outgoing connections: a port of ours stays free while its owner is
/// being restarted.
const RANGE: Range<u16> = 18_000..32_000;

/// Ports handed out by this process, so that two servers being started at once never get the same one.
static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port nobody listens on now and that this module has not given before. Random, so that two programs looking
/// at the same time hardly ever meet.
pub fn free_port() -> io::Result<u16> {
    first_free((0..2_000).map(|_| rand::random_range(RANGE)))
}

/// `wanted` when it is free on the loopback address and not given before, else the next such above it.
pub fn free_port_from(wanted: u16) -> io::Result<u16> {
    first_free(wanted..=u16::MAX)
}

fn first_free(mut candidates: impl Iterator<Item = u16>) -> io::Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_with(HashSet::new);
    let port = candidates
        // A port that was given is not even tried: its owner may be about to take it.
        .find(|port| !given.contains(port) && is_free(*port))
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free port on the loopback address"))?;
    given.insert(port);
    Ok(port)
}

/// Whether the port can be bound. It is not listened on: a child process that is being started just then inherits the
/// socket for a moment, and one that listens would keep the port's owner out for as long.
fn is_free(port: u16) -> bool {
    let bind = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())
    };
    bind().is_ok()
}

/// Waits until all of these ports can be bound: the process that had them may be on its way out. Fails with the name of
/// whoever keeps one.
pub(crate) fn await_free(ports: &[u16], patience: Duration) -> Result<()> {
    if crate::process::wait_until(patience, || ports.iter().all(|port| is_free(*port))) {
        return Ok(());
    }
    let taken: Vec<String> = ports
        .iter()
        .filter(|port| !is_free(**port))
        .map(|port| match holder(*port) {
            Some(holder) => format!("port {port} by {holder}"),
            None => format!("port {port}"),
        })
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    bail!("after {patience:?} still taken: {}", taken.join(", "))
}

/// The process that listens on a port, where `/proc` exists and lets us look.
fn holder(port: u16) -> Option<String> {
    /// How the kernel's table says that a socket listens.
    const LISTENS: &str = "0A";
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let end = format!(":{port:04X}");
    let inode = table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let ours = fields.get(1)?.ends_with(&end) && *fields.get(3)? == LISTENS;
        ours.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    })?;
    std::fs::read_dir("/proc").ok()?.find_map(|process| {
        let folder = process.ok()?.path();
        let pid: u32 = folder.file_name()?.to_str()?.parse().ok()?;
        let mut open = std::fs::read_dir(folder.join("fd")).ok()?;
        open.any(|file| {
            let target = file.and_then(|file| std::fs::read_link(file.path()));
            target.is_ok_and(|target| target.as_os_str() == inode.as_str())
        })
        .then(|| {
            let name = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
            format!("process {pid} ({})", name.trim())
        })
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn looking_at_a_port_does_not_keep_its_owner_out() {
        let port = free_port().unwrap();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        socket.bind(&address.into()).unwrap();
        // What a child process would have inherited is still open.
        let held = TcpListener::bind(address).unwrap();
        assert!(!is_free(port));
        drop(held);
        assert!(is_free(port));
    }

    #[test]
    fn ports_differ_and_are_free() {
        let ports: HashSet<u16> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        }
    }

    #[test]
    fn a_taken_port_gives_the_next() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = held.local_addr().unwrap().port();
        let next = free_port_from(taken).unwrap();
        assert!(next > taken);
        // Nobody listens on it yet, and still it is spoken for.
        assert!(free_port_from(taken).unwrap() > next);
    }

    #[test]
    fn a_port_that_stays_taken_is_named_with_its_holder() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = held.local_addr().unwrap().port();
        let free = free_port().unwrap();
        let error = await_free(&[free, taken], Duration::from_millis(50)).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&format!("port {taken}")), "{error}");
        assert!(!error.contains(&free.to_string()), "{error}");
        #[cfg(target_os = "linux")]
        assert!(
            error.contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(held);
        await_free(&[free, taken], Duration::from_millis(50)).unwrap();
    }
}
