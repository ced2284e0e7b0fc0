//! Whose requests are counted.

use std::fmt::Display;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

/// Who asks: a user wherever they are, or whoever comes from one network address without being signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<U> {
    /// A user, by their id.
    User(U),
    /// A network address, as the last proxy tells it.
    Address(IpAddr),
}

impl<U: Display> Subject<U> {
    /// The part of the key that is this subject's. Network addresses don't stand readably in Redis.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Address(address) => {
                let digest = Sha256::digest(network(*address).as_bytes());
                format!("address:{}", hex::encode(&digest[..16]))
            }
        }
    }

    /// An office shares an address: it may ask so many times as often as a user.
    pub(crate) const fn share(&self) -> u32 {
        match self {
            Self::User(_) => 1,
            Self::Address(_) => 4,
        }
    }
}

/// An IPv6 client has 2^64 addresses: the network counts.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_one_subject_and_does_not_show() {
        let key = |text: &str| Subject::<&str>::Address(text.parse().unwrap()).key();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert!(!key("192.0.2.7").contains("192.0"));
        assert_eq!(Subject::User("usr_1").key(), "user:usr_1");
    }
}
