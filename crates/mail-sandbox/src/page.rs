//! The page: a list of mails, and one of them.

use std::fmt::Write as _;

use crate::sandbox::Caught;

const HEAD: &str =
    "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Mail sandbox</title><style>
body { font-family: system-ui, sans-serif; margin: 2rem; color: #1c1917 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d6d3d1 }
iframe { width: 100%; height: 28rem; border: 1px solid #d6d3d1 }
pre { white-space: pre-wrap; background: #f5f5f4; padding: 1rem }
</style></head><body>";

/// The list, newest first.
pub(crate) fn list(mails: &[Caught]) -> String {
    let mut page = format!(
        "{HEAD}<h1>Mail sandbox</h1><p>{} mails; none has left.</p>",
        mails.len()
    );
    page.push_str("<table><tr><th>When<th>To<th>Subject</tr>");
    for mail in mails.iter().rev() {
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td><a href=\"/mails/{}\">{}</a></tr>",
            mail.at.format("%Y-%m-%d %H:%M:%S"),
            escaped(&mail.to.join(", ")),
            mail.id,
            escaped(if mail.subject.is_empty() {
                "(none)"
            } else {
                &mail.subject
            }),
        );
    }
    page.push_str("</table></body></html>");
    page
}

/// One mail: as HTML in a frame that may do nothing, as text, and as it came.
pub(crate) fn mail(mail: &Caught) -> String {
    format!(
        "{HEAD}<p><a href=\"/\">All mails</a></p><h1>{}</h1><p>From {} to {}</p>
<iframe sandbox title=\"As HTML\" srcdoc=\"{}\"></iframe><h2>As text</h2><pre>{}</pre>
<h2>As it came</h2><pre>{}</pre></body></html>",
        escaped(&mail.subject),
        escaped(&mail.from),
        escaped(&mail.to.join(", ")),
        escaped(&mail.html),
        escaped(&mail.text),
        escaped(&mail.raw),
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_mail_becomes_a_part_of_the_page() {
        assert_eq!(
            escaped("\"><script>alert('x') & more"),
            "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;) &amp; more"
        );
    }
}
