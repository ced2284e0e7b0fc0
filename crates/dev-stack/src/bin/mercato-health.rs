//! `mercato-health URL...`: succeeds when every address answers 200. For images without a shell.
#![expect(clippy::print_stderr, reason = "a command line tool speaks to its terminal")]

use std::net::ToSocketAddrs;
use std::process::ExitCode;

fn main() -> ExitCode {
    let urls: Vec<String> = std::env::args().skip(1).collect();
    let bad: Vec<&String> = urls.iter().filter(|url| !is_well(url)).collect();
    for url in &bad {
        eprintln!("{url} does not answer 200");
    }
    if bad.is_empty() && !urls.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn is_well(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return false;
    };
    let (host, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let Ok(mut addresses) = host.to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| dev_stack::http::get(address, path).is_some_and(|answer| answer.status == 200))
}
