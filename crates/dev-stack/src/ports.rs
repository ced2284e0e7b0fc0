//! Free TCP ports on the loopback address.

use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

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
    candidates
        .find(|port| is_free(*port) && given.insert(*port))
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrInUse, "no free port on the loopback address"))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
