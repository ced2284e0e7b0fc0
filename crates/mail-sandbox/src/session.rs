//! One session of SMTP (RFC 5321), without its socket: a line in, an answer out.
//!
//! Speaks EHLO, HELO, MAIL, RCPT, DATA, RSET, NOOP, VRFY and QUIT, in the order the standard wants. No TLS and no
//! AUTH: it belongs on a machine's own address.

use crate::sandbox::Sandbox;

/// Largest mail that is taken.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
const MAX_RECIPIENTS: usize = 100;

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Read the next command.
    Go,
    /// Read a mail, up to the line with a dot alone.
    Data,
    /// Hang up.
    Quit,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) lines: String,
    pub(crate) then: Then,
}

fn say(code: u16, text: &str) -> Answer {
    Answer {
        lines: format!("{code} {text}\r\n"),
        then: Then::Go,
    }
}

fn closed() -> Answer {
    Answer {
        then: Then::Quit,
        ..say(421, "closed for tests")
    }
}

/// Where a session is.
pub(crate) struct Session {
    sandbox: Sandbox,
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    pub(crate) const fn new(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            greeted: false,
            from: None,
            to: Vec::new(),
        }
    }

    /// What is said before anything else.
    pub(crate) fn greeting(&self) -> Answer {
        if self.is_closed() {
            return closed();
        }
        say(220, "mail-sandbox ready; no mail leaves it")
    }

    /// Answers a command, given without its line end.
    pub(crate) fn command(&mut self, line: &str) -> Answer {
        if self.is_closed() {
            return closed();
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                self.reset();
                self.greeted = true;
                let lines =
                    format!("250-mail-sandbox\r\n250-SIZE {MAX_BYTES}\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
                Answer {
                    lines,
                    then: Then::Go,
                }
            }
            "HELO" => {
                self.reset();
                self.greeted = true;
                say(250, "mail-sandbox")
            }
            "MAIL" => self.mail(rest),
            "RCPT" => self.rcpt(rest),
            "DATA" if self.to.is_empty() => say(503, "no recipients"),
            "DATA" => Answer {
                then: Then::Data,
                ..say(354, "go on; end with a dot alone")
            },
            "RSET" => {
                self.reset();
                say(250, "forgotten")
            }
            "NOOP" => say(250, "here"),
            "VRFY" => say(252, "try it"),
            "QUIT" => Answer {
                then: Then::Quit,
                ..say(221, "bye")
            },
            _ => say(500, "unknown command"),
        }
    }

    fn is_closed(&self) -> bool {
        self.sandbox.turn(|settings| settings.closed)
    }

    fn mail(&mut self, rest: &str) -> Answer {
        if !self.greeted {
            return say(503, "say EHLO first");
        }
        if self.from.is_some() {
            return say(503, "one sender is enough");
        }
        match path(rest, "FROM:") {
            // Empty is the sender of bounces.
            Some(address) => {
                self.from = Some(address.to_owned());
                say(250, "sender ok")
            }
            None => say(501, "MAIL FROM:<address>"),
        }
    }

    fn rcpt(&mut self, rest: &str) -> Answer {
        if self.from.is_none() {
            return say(503, "say MAIL first");
        }
        let Some(address) = path(rest, "TO:").filter(|address| address.contains('@')) else {
            return say(501, "RCPT TO:<address>");
        };
        if self.to.len() == MAX_RECIPIENTS {
            return say(452, "too many recipients");
        }
        if let Some(code) = self.sandbox.turn(|settings| settings.refusal(address)) {
            return say(code, &format!("<{address}> refused for tests"));
        }
        self.to.push(address.to_owned());
        say(250, "recipient ok")
    }

    /// Answers a whole mail.
    pub(crate) fn data(&mut self, raw: &[u8]) -> Answer {
        let (from, to) = (self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        self.sandbox.take(from, to, raw);
        if self.sandbox.turn(crate::settings::Settings::loses_answer) {
            return Answer {
                lines: String::new(),
                then: Then::Quit,
            };
        }
        say(250, "caught")
    }

    /// Forgets the mail that was begun.
    pub(crate) fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

/// The address between the brackets of `FROM:<a@b> SIZE=1`.
fn path<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let start = text.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = text[keyword.len()..].trim_start().strip_prefix('<')?;
    let (address, _) = rest.split_once('>')?;
    let clean = !address.contains(|letter: char| letter.is_whitespace() || letter.is_control());
    clean.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service_kit::Clock;

    fn code(answer: &Answer) -> &str {
        &answer.lines[..3]
    }

    #[test]
    fn the_order_of_commands_is_kept() {
        let mut session = Session::new(Sandbox::new(Clock::system()));
        for (line, expected) in [
            ("MAIL FROM:<a@b>", "503"),
            ("ehlo client", "250"),
            ("RCPT TO:<c@d>", "503"),
            ("DATA", "503"),
            ("MAIL FROM:a@b", "501"),
            ("mail from:<a@b> SIZE=10", "250"),
            ("MAIL FROM:<a@b>", "503"),
            ("RCPT TO:<nobody>", "501"),
            ("RCPT TO:<c@d\u{7}>", "501"),
            ("RCPT TO: <c@d>", "250"),
            ("NONSENSE", "500"),
            ("DATA", "354"),
        ] {
            assert_eq!(code(&session.command(line)), expected, "{line}");
        }
        assert_eq!(code(&session.data(b"Subject: x\r\n\r\nhello\r\n")), "250");
        assert_eq!(code(&session.command("DATA")), "503", "begins anew");
        assert_eq!(session.command("QUIT").then, Then::Quit);
        let caught = session.sandbox.mails();
        assert_eq!(
            (caught[0].from.as_str(), caught[0].to.as_slice()),
            ("a@b", &["c@d".to_owned()][..])
        );
        assert_eq!(
            (caught[0].subject.as_str(), caught[0].text.trim()),
            ("x", "hello")
        );
    }
}
