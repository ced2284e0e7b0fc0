//! The environment, read once at start: every fault is collected, so that one attempt names them all.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// A value that must not show in logs, errors or traces.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret that was made or read elsewhere.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

/// Everything that is wrong with the environment. Names variables, never their values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad configuration: {}", faults.join("; "))]
pub struct ConfigError {
    /// One sentence per fault.
    pub faults: Vec<String>,
}

/// Reads variables and remembers what was wrong with them.
#[derive(Debug)]
pub struct Env {
    source: Source,
    faults: Vec<String>,
}

#[derive(Debug)]
enum Source {
    Process,
    Pairs(HashMap<String, Secret>),
}

impl Env {
    /// The environment of this process.
    pub const fn process() -> Self {
        Self {
            source: Source::Process,
            faults: Vec::new(),
        }
    }

    /// A made-up environment, for tests and tools.
    pub fn from_pairs<I, K, V>(pairs: I) -> Self
    where
        I: IntoIterator<Item = (K, V)>,
        K: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), Secret(value.into())))
            .collect();
        Self {
            source: Source::Pairs(pairs),
            faults: Vec::new(),
        }
    }

    /// The variable, or a fault when it is missing, empty or unreadable.
    pub fn required<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        let text = self.lookup(name);
        if text.is_none() {
            self.missing(name);
        }
        text.and_then(|text| self.parse(name, &text))
    }

    /// The variable, or `default` when it is missing or empty; unreadable is a fault.
    pub fn optional<T: FromStr>(&mut self, name: &'static str, default: T) -> Option<T> {
        match self.lookup(name) {
            None => Some(default),
            Some(text) => self.parse(name, &text),
        }
    }

    /// The variable if it is there; unreadable is a fault (outer `None`).
    pub fn maybe<T: FromStr>(&mut self, name: &'static str) -> Option<Option<T>> {
        match self.lookup(name) {
            None => Some(None),
            Some(text) => self.parse(name, &text).map(Some),
        }
    }

    /// A secret from `NAME`, or from the file that `NAME_FILE` names; missing is a fault.
    pub fn secret(&mut self, name: &'static str) -> Option<Secret> {
        let found = self.maybe_secret(name)?;
        if found.is_none() {
            self.fault(format!("{name} or {name}_FILE is missing"));
        }
        found
    }

    /// Like [`Env::secret`], but may be missing.
    pub fn maybe_secret(&mut self, name: &'static str) -> Option<Option<Secret>> {
        let file_name = format!("{name}_FILE");
        match (self.lookup(name), self.lookup(&file_name)) {
            (Some(_), Some(_)) => {
                self.fault(format!("{name} and {file_name} are both set"));
                None
            }
            (Some(value), None) => Some(Some(Secret(value))),
            (None, Some(path)) => self.read_secret(&file_name, &path).map(Some),
            (None, None) => Some(None),
        }
    }

    /// Records a fault that only the caller can see, such as two variables that contradict each other.
    pub fn fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(sentence.into());
    }

    /// Builds the configuration, or tells all faults met so far.
    pub fn finish<C>(&mut self, build: impl FnOnce() -> Option<C>) -> Result<C, ConfigError> {
        if !self.faults.is_empty() {
            return Err(ConfigError {
                faults: std::mem::take(&mut self.faults),
            });
        }
        build().ok_or_else(|| ConfigError {
            faults: vec!["a value is missing".to_owned()],
        })
    }

    fn lookup(&self, name: &str) -> Option<String> {
        let value = match &self.source {
            #[expect(
                clippy::disallowed_methods,
                reason = "the one place that reads the environment"
            )]
            Source::Process => std::env::var(name).ok(),
            Source::Pairs(pairs) => pairs.get(name).map(|value| value.0.clone()),
        };
        value.filter(|value| !value.trim().is_empty())
    }

    fn missing(&mut self, name: &str) {
        self.fault(format!("{name} is missing"));
    }

    fn parse<T: FromStr>(&mut self, name: &str, text: &str) -> Option<T> {
        let parsed = text.trim().parse().ok();
        if parsed.is_none() {
            // The value stays out: it may be a secret in the wrong place.
            let kind = std::any::type_name::<T>()
                .rsplit("::")
                .next()
                .unwrap_or_default()
                .to_owned();
            self.fault(format!("{name} is not a valid {kind}"));
        }
        parsed
    }

    fn read_secret(&mut self, name: &str, path: &str) -> Option<Secret> {
        match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => {
                self.fault(format!("{name} names an empty file"));
                None
            }
            Ok(text) => Some(Secret(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => {
                self.fault(format!("{name} can't be read: {}", error.kind()));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn pairs(pairs: &[(&str, &str)]) -> Env {
        Env::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn names_all_faults_at_once() {
        let mut env = pairs(&[
            ("PORT", "many"),
            ("ADDR", ""),
            ("B", "x"),
            ("B_FILE", "/nowhere"),
            ("C_FILE", "/nowhere/c"),
        ]);
        let _ = env.required::<SocketAddr>("ADDR");
        let _ = env.optional::<u16>("PORT", 1);
        let _ = env.maybe::<u16>("PORT");
        let _ = env.secret("A");
        let _ = env.secret("B");
        let _ = env.secret("C");
        let error = env.finish(|| Some(())).unwrap_err();
        assert_eq!(
            error.faults,
            [
                "ADDR is missing",
                "PORT is not a valid u16",
                "PORT is not a valid u16",
                "A or A_FILE is missing",
                "B and B_FILE are both set",
                "C_FILE can't be read: entity not found",
            ]
        );
    }

    #[test]
    fn reads_values_and_defaults() {
        let mut env = pairs(&[("PORT", " 80 "), ("KEY", "k")]);
        assert_eq!(env.required::<u16>("PORT"), Some(80));
        assert_eq!(env.optional::<u16>("OTHER", 7), Some(7));
        assert_eq!(env.maybe::<u16>("OTHER"), Some(None));
        assert_eq!(env.maybe::<u16>("PORT"), Some(Some(80)));
        assert_eq!(env.secret("KEY"), Some(Secret::new("k")));
        assert_eq!(env.maybe_secret("NO"), Some(None));
        assert_eq!(env.finish(|| Some(1)), Ok(1));
    }

    #[test]
    fn reads_a_secret_from_a_file_without_its_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let mut env = Env::from_pairs([("KEY_FILE", file.path().to_str().unwrap())]);
        assert_eq!(env.secret("KEY"), Some(Secret::new("s3cret")));
    }

    #[test]
    fn never_shows_a_value() {
        let mut env = pairs(&[("PORT", "canary-1"), ("KEY", "canary-2")]);
        let _ = env.required::<u16>("PORT");
        let secret = env.secret("KEY");
        let shown = format!("{env:?} {secret:?} {}", env.finish(|| Some(())).unwrap_err());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
