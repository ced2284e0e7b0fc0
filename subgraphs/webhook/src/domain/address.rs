//! Where an endpoint may be. Whoever may name an address must not reach what is inside by it (SSRF).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Most characters of an address.
const MAX_URL: usize = 2048;

/// How far endpoints may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Over HTTPS, at addresses of the public internet.
    Public,
    /// Anywhere, also without TLS. For development.
    Anywhere,
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not a URL, or too long.
    #[error("this is not a URL of at most 2048 characters")]
    Unreadable,
    /// Another scheme than allowed.
    #[error("the URL must begin with https://")]
    Scheme,
    /// A user or a password.
    #[error("the URL must not hold a user or a password")]
    UserInfo,
    /// An address or a name of the inside.
    #[error("the URL must lead to a public address")]
    Private,
}

/// Checks an address as a person writes it, or as it stands before a try.
pub fn checked(text: &str, reach: Reach) -> Result<Url, AddressFault> {
    if text.len() > MAX_URL || text.contains(|letter: char| letter.is_control() || letter == '\\') {
        return Err(AddressFault::Unreadable);
    }
    let url: Url = text.parse().map_err(|_| AddressFault::Unreadable)?;
    match (url.scheme(), reach) {
        ("https", _) | ("http", Reach::Anywhere) => {}
        _ => return Err(AddressFault::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressFault::UserInfo);
    }
    // An unnormalised text may be shorter than what is kept.
    if url.as_str().len() > MAX_URL {
        return Err(AddressFault::Unreadable);
    }
    let inside = match url.host().ok_or(AddressFault::Unreadable)? {
        Host::Ipv4(address) => !is_public(address.into()),
        Host::Ipv6(address) => !is_public(address.into()),
        Host::Domain(name) => is_inside(name),
    };
    if inside && reach == Reach::Public {
        return Err(AddressFault::Private);
    }
    Ok(url)
}

/// Names that never mean the public internet. Any other name is judged by its addresses, at each connection.
fn is_inside(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let ends = ["localhost", "local", "internal", "intranet", "lan", "home.arpa"];
    !name.contains('.')
        || ends
            .iter()
            .any(|end| name == *end || name.ends_with(&format!(".{end}")))
}

/// Whether an address belongs to the public internet: none of IANA's special-purpose ranges.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        // This network; carrier-grade NAT; IETF protocols; 6to4 relays; benchmarks; reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    match parts {
        // Global unicast alone, without Teredo and its kin, documentation, and 6to4, which hides an IPv4 address.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // NAT64 leads to the IPv4 address at its end.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_urls() {
        use AddressFault::{Private, Scheme, Unreadable, UserInfo};
        for (text, fault) in [
            ("http://example.com/hook", Scheme),
            ("ftp://example.com/hook", Scheme),
            ("file:///etc/passwd", Scheme),
            ("gopher://example.com", Scheme),
            ("javascript:alert(1)", Scheme),
            ("https://user@example.com/", UserInfo),
            ("https://user:pass@example.com/", UserInfo),
            ("https://:pass@example.com/", UserInfo),
            ("https://127.0.0.1/", Private),
            ("https://127.1/", Private),
            ("https://2130706433/", Private),
            ("https://0x7f000001/", Private),
            ("https://0177.0.0.1/", Private),
            ("https://0.0.0.0/", Private),
            ("https://10.0.0.1/", Private),
            ("https://172.16.0.1/", Private),
            ("https://172.31.255.255/", Private),
            ("https://192.168.1.1/", Private),
            ("https://169.254.169.254/latest/meta-data/", Private),
            ("https://100.64.0.1/", Private),
            ("https://100.100.100.200/", Private),
            ("https://192.0.0.192/", Private),
            ("https://198.18.0.1/", Private),
            ("https://224.0.0.1/", Private),
            ("https://255.255.255.255/", Private),
            ("https://[::1]/", Private),
            ("https://[::]/", Private),
            ("https://[::ffff:127.0.0.1]/", Private),
            ("https://[::ffff:169.254.169.254]/", Private),
            ("https://[::127.0.0.1]/", Private),
            ("https://[fe80::1]/", Private),
            ("https://[fc00::1]/", Private),
            ("https://[fd00:ec2::254]/", Private),
            ("https://[ff02::1]/", Private),
            ("https://[64:ff9b::7f00:1]/", Private),
            ("https://[2002:7f00:1::]/", Private),
            ("https://[2001:db8::1]/", Private),
            ("https://localhost/", Private),
            ("https://LOCALHOST./", Private),
            ("https://a.localhost/", Private),
            ("https://postgres/", Private),
            ("https://metadata.google.internal/", Private),
            ("https://auth.mercato.svc.cluster.local/", Private),
            ("https://printer.lan/", Private),
            ("https://\u{ff11}27.0.0.1/", Private),
            ("https:\\\\example.com/", Unreadable),
            ("https://exa\nmple.com/", Unreadable),
            ("https://", Unreadable),
            ("hook", Unreadable),
            ("", Unreadable),
        ] {
            assert_eq!(checked(text, Reach::Public), Err(fault), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(2048));
        assert_eq!(checked(&long, Reach::Public), Err(Unreadable));
    }

    #[test]
    fn the_public_internet_is_allowed() {
        for text in [
            "https://example.com/hook?tenant=1",
            "https://example.com:8443/hook",
            "https://93.184.215.14/hook",
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/hook",
            "https://[64:ff9b::5db8:d70e]/hook",
            "https://b\u{fc}cher.example/",
        ] {
            assert!(checked(text, Reach::Public).is_ok(), "{text}");
        }
    }

    #[test]
    fn development_may_reach_anything_but_no_other_scheme() {
        for text in ["http://127.0.0.1:8080/", "https://localhost/", "http://receiver/"] {
            assert!(checked(text, Reach::Anywhere).is_ok(), "{text}");
        }
        assert_eq!(
            checked("ftp://localhost/", Reach::Anywhere),
            Err(AddressFault::Scheme)
        );
        assert_eq!(
            checked("http://a@localhost/", Reach::Anywhere),
            Err(AddressFault::UserInfo)
        );
    }
}
