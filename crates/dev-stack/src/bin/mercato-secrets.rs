//! `mercato-secrets`: every secret a deployment needs, fresh, for a trial.
//!
//! `--kubernetes NAMESPACE` prints them as manifests for `kubectl apply -f -`; `--folder FOLDER` writes a file each,
//! as `FOLDER/NAME/KEY`, and leaves what is there already.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks to its terminal"
)]

use std::path::Path;
use std::process::ExitCode;

use dev_stack::secrets::Secrets;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["--kubernetes", namespace] => Secrets::generate().map(|secrets| {
            println!("{}", secrets.manifests(namespace));
        }),
        ["--folder", folder] => Secrets::generate().and_then(|secrets| secrets.write(Path::new(folder))),
        _ => {
            eprintln!("usage: mercato-secrets --kubernetes NAMESPACE | --folder FOLDER");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
