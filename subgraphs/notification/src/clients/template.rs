//! Mails as text and as HTML, from the files in `templates/`.

use contracts::auth::Contact;
use minijinja::{Environment, UndefinedBehavior, context};
use url::Url;

use crate::domain::{Mail, words};

const TEXT: &str = "mail.txt";
const HTML: &str = "mail.html";

/// The templates, read once.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    shop: Url,
}

/// A mail in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) subject: &'static str,
    pub(super) text: String,
    pub(super) html: String,
}

impl Templates {
    /// The templates of mails that lead to the shop.
    pub(super) fn try_new(shop: Url) -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        // What ends in .html is escaped: names are chosen by those who bear them.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template(TEXT, include_str!("../../templates/mail.txt"))?;
        environment.add_template(HTML, include_str!("../../templates/mail.html"))?;
        Ok(Self { environment, shop })
    }

    /// A mail to somebody.
    pub(super) fn render(&self, mail: &Mail, contact: &Contact) -> Result<Rendered, minijinja::Error> {
        let base = self.shop.as_str().trim_end_matches('/');
        let subject = words::title(&mail.what);
        let values = context! {
            name => name_of(contact),
            title => subject,
            body => words::body(&mail.what),
            link => format!("{base}/orders/{}", mail.order),
            shop => base,
        };
        Ok(Rendered {
            subject,
            text: self.environment.get_template(TEXT)?.render(&values)?,
            html: self.environment.get_template(HTML)?.render(&values)?,
        })
    }
}

/// What somebody is called, in one line: no header of a mail may hold another.
pub(super) fn name_of(contact: &Contact) -> String {
    let letters = contact.display_name.chars();
    letters
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MailState, What};
    use chrono::DateTime;
    use contracts::{Currency, MailId, Money, OrderId, UserId};

    #[test]
    fn a_name_stays_a_name_in_both_forms() {
        let templates = Templates::try_new("https://shop.example/".parse().unwrap()).unwrap();
        let (user, order) = (UserId::generate(), OrderId::generate());
        let mail = Mail {
            id: MailId::generate(),
            user,
            order,
            what: What::RefundCompleted {
                amount: Money::new(1_999, Currency::EUR),
            },
            state: MailState::Pending,
            attempts: 1,
            last_error: None,
            at: DateTime::UNIX_EPOCH,
            ended_at: None,
        };
        let contact = Contact {
            user_id: user,
            email: "ada@example.com".to_owned(),
            display_name: "<b>Ada</b>\n{{ 7 * 7 }}".to_owned(),
        };
        let rendered = templates.render(&mail, &contact).unwrap();
        assert_eq!(rendered.subject, "Your money is on its way back");
        assert!(
            rendered.text.starts_with("Hello <b>Ada</b> {{ 7 * 7 }},\n"),
            "{}",
            rendered.text
        );
        assert!(!rendered.html.contains("<b>") && rendered.html.contains("{{ 7 * 7 }}"));
        for form in [&rendered.text, &rendered.html] {
            assert!(form.contains("19.99 EUR"), "{form}");
        }
        assert!(
            rendered
                .text
                .contains(&format!("https://shop.example/orders/{order}\n"))
        );
        assert!(!rendered.html.contains("ada@example.com"));
    }
}
