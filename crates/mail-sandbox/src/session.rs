//! One session of SMTP (RFC 5321), without its socket: a line in, an answer out.
//!
//! Speaks EHLO, HELO, MAIL, RCPT, DATA, RSET, NOOP, VRFY and QUIT, in the order the standard wants; STARTTLS and AUTH
//! where it is guarded.

use crate::guard::{Rules, Step};
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
    /// Go on encrypted.
    Secure,
    /// Hang up.
    Quit,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) lines: String,
    pub(crate) then: Then,
}

pub(crate) fn say(code: u16, text: &str) -> Answer {
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
    rules: Rules,
    encrypted: bool,
    /// In the middle of a login.
    login: Option<Step>,
    let_in: bool,
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Session {
    pub(crate) const fn new(sandbox: Sandbox, rules: Rules) -> Self {
        Self {
            sandbox,
            rules,
            encrypted: false,
            login: None,
            let_in: false,
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

    /// From here on the connection is encrypted. What was said before may have been anybody's, and is forgotten.
    pub(crate) fn secure(&mut self) {
        self.reset();
        self.encrypted = true;
        self.greeted = false;
    }

    /// Answers a command, given without its line end.
    pub(crate) fn command(&mut self, line: &str) -> Answer {
        if self.is_closed() {
            return closed();
        }
        if let (Some(step), Some(login)) = (self.login.take(), self.rules.login.as_ref()) {
            let heard = login.hear(step, line);
            return self.logged_in(heard);
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                self.reset();
                self.greeted = true;
                self.can()
            }
            "HELO" => {
                self.reset();
                self.greeted = true;
                say(250, "mail-sandbox")
            }
            "STARTTLS" if self.awaits_tls() => Answer {
                then: Then::Secure,
                ..say(220, "go ahead")
            },
            "AUTH" if self.awaits_tls() => say(538, "not before STARTTLS"),
            "AUTH" if self.let_in => say(503, "once is enough"),
            "AUTH" if self.rules.login.is_some() => {
                let heard = self.rules.login.as_ref().map(|login| login.begin(rest));
                self.logged_in(heard.unwrap_or(Err(say(503, "no login"))))
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

    const fn awaits_tls(&self) -> bool {
        self.rules.starttls && !self.encrypted
    }

    /// What it can do, as EHLO is answered.
    fn can(&self) -> Answer {
        let mut lines = format!("250-mail-sandbox\r\n250-SIZE {MAX_BYTES}\r\n250-8BITMIME\r\n");
        if self.awaits_tls() {
            lines.push_str("250-STARTTLS\r\n");
        } else if let Some(login) = &self.rules.login {
            lines.push_str("250-AUTH ");
            lines.push_str(login.mechanisms);
            lines.push_str("\r\n");
        }
        lines.push_str("250 SMTPUTF8\r\n");
        Answer {
            lines,
            then: Then::Go,
        }
    }

    /// Goes on with a login, or ends it.
    fn logged_in(&mut self, heard: Result<Option<Step>, Answer>) -> Answer {
        match heard {
            Ok(Some(step)) => {
                let prompt = step.prompt();
                self.login = Some(step);
                say(334, prompt)
            }
            Ok(None) => {
                self.let_in = true;
                say(235, "welcome")
            }
            Err(refusal) => refusal,
        }
    }

    fn is_closed(&self) -> bool {
        self.sandbox.turn(|settings| settings.closed)
    }

    fn mail(&mut self, rest: &str) -> Answer {
        if !self.greeted {
            return say(503, "say EHLO first");
        }
        if self.awaits_tls() {
            return say(530, "say STARTTLS first");
        }
        if self.rules.login.is_some() && !self.let_in {
            return say(530, "log in first");
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
    use crate::guard::Login;
    use service_kit::Clock;

    fn code(answer: &Answer) -> &str {
        &answer.lines[..3]
    }

    #[test]
    fn the_order_of_commands_is_kept() {
        let mut session = Session::new(Sandbox::new(Clock::system()), Rules::default());
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
            ("STARTTLS", "500"),
            ("AUTH PLAIN AGEAYg==", "500"),
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
    #[test]
    fn who_is_guarded_is_told_nothing_in_the_clear_and_by_no_stranger() {
        let rules = Rules {
            starttls: true,
            login: Some(Login::new("me", "secret", "PLAIN LOGIN")),
        };
        let mut session = Session::new(Sandbox::new(Clock::system()), rules);
        let clear = session.command("EHLO me").lines;
        assert!(clear.contains("STARTTLS") && !clear.contains("AUTH"), "{clear}");
        assert_eq!(code(&session.command("AUTH PLAIN AG1lAHNlY3JldA==")), "538");
        assert_eq!(code(&session.command("MAIL FROM:<a@b>")), "530");
        assert_eq!(session.command("STARTTLS").then, Then::Secure);
        session.secure();
        assert_eq!(code(&session.command("MAIL FROM:<a@b>")), "503", "greeted anew");
        let private = session.command("EHLO me").lines;
        assert!(!private.contains("STARTTLS") && private.contains("AUTH PLAIN LOGIN"));
        for (line, expected) in [
            ("MAIL FROM:<a@b>", "530"),
            ("AUTH GUESS", "504"),
            ("AUTH PLAIN AG1lAHdyb25n", "535"),
            ("AUTH PLAIN !", "501"),
            ("AUTH LOGIN", "334"),
            ("bWU=", "334"),
            ("d3Jvbmc=", "535"),
            ("AUTH LOGIN", "334"),
            ("*", "501"),
            ("AUTH PLAIN", "334"),
            ("AG1lAHNlY3JldA==", "235"),
            ("AUTH PLAIN AG1lAHNlY3JldA==", "503"),
            ("MAIL FROM:<a@b>", "250"),
        ] {
            assert_eq!(code(&session.command(line)), expected, "{line}");
        }
    }
}
