//! The sandbox before a real client of SMTP, and before what no client should send.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use mail_sandbox::{Caught, Sandbox, Settings};
use service_kit::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

struct World {
    sandbox: Sandbox,
    port: u16,
    page: String,
    stop: CancellationToken,
}

impl World {
    async fn start() -> Self {
        let sandbox = Sandbox::new(Clock::system());
        let stop = CancellationToken::new();
        let smtp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = smtp.local_addr().unwrap().port();
        tokio::spawn(mail_sandbox::serve(smtp, sandbox.clone(), stop.clone()));
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page = format!("http://{}", http.local_addr().unwrap());
        let router = mail_sandbox::router(sandbox.clone());
        tokio::spawn(async move { axum::serve(http, router).await });
        Self {
            sandbox,
            port,
            page,
            stop,
        }
    }

    fn client(&self) -> AsyncSmtpTransport<Tokio1Executor> {
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(self.port)
            .timeout(Some(Duration::from_secs(5)))
            .build()
    }

    /// Says everything at once and answers all that was said back.
    async fn say(&self, said: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(said).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut heard = String::new();
        let read = stream.read_to_string(&mut heard);
        tokio::time::timeout(Duration::from_secs(5), read)
            .await
            .unwrap()
            .ok();
        heard
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn message(to: &str, text: &str) -> Message {
    let to: Mailbox = to.parse().unwrap();
    Message::builder()
        .from("Shop <shop@example.com>".parse().unwrap())
        .to(to)
        .subject("Grüße, und mehr")
        .message_id(Some("<one@example.com>".to_owned()))
        .multipart(MultiPart::alternative_plain_html(
            text.to_owned(),
            format!("<p>{text}</p>"),
        ))
        .unwrap()
}

fn codes(heard: &str) -> Vec<&str> {
    heard
        .lines()
        .filter(|line| line.as_bytes().get(3) == Some(&b' '))
        .map(|line| &line[..3])
        .collect()
}

#[tokio::test]
async fn a_mail_comes_as_it_was_sent() {
    let world = World::start().await;
    let text = ".a dot at the beginning\r\n..two\r\nand an umlaut: ä";
    let client = world.client();
    client.send(message("Ada <ada@example.com>", text)).await.unwrap();
    client.send(message("bob@example.com", "short")).await.unwrap();
    let caught: Vec<Caught> = world.sandbox.mails_to("ada@example.com");
    assert_eq!(caught.len(), 1);
    let mail = &caught[0];
    assert_eq!(
        (mail.from.as_str(), mail.subject.as_str()),
        ("shop@example.com", "Grüße, und mehr")
    );
    assert_eq!(mail.message_id.as_deref(), Some("one@example.com"));
    assert_eq!(mail.text.trim_end(), text);
    assert!(mail.html.contains("<p>.a dot"));
    assert_eq!(world.sandbox.mails().len(), 2);
}

#[tokio::test]
async fn it_behaves_as_badly_as_it_is_told() {
    let world = World::start().await;
    let set = async |settings: serde_json::Value| {
        let http = service_kit::http::client(Duration::from_secs(5));
        let answer = http
            .put(format!("{}/api/settings", world.page))
            .json(&settings)
            .send()
            .await
            .unwrap();
        answer.status().as_u16()
    };
    let send = async |to: &str| world.client().send(message(to, "x")).await;
    assert_eq!(
        set(serde_json::json!({ "refuse_code": 550, "refuse_to": "ada@" })).await,
        200
    );
    assert!(send("ada@example.com").await.unwrap_err().is_permanent());
    send("bob@example.com").await.unwrap();
    assert_eq!(
        set(serde_json::json!({ "refuse_code": 451, "refuse_times": 1 })).await,
        200
    );
    assert!(send("ada@example.com").await.unwrap_err().is_transient());
    send("ada@example.com").await.unwrap();
    assert_eq!(set(serde_json::json!({ "lose_answers": 1 })).await, 200);
    let lost = send("ada@example.com").await.unwrap_err();
    assert!(lost.status().is_none(), "{lost}");
    assert_eq!(
        world.sandbox.mails_to("ada@example.com").len(),
        2,
        "taken all the same"
    );
    assert_eq!(set(serde_json::json!({ "closed": true })).await, 200);
    assert_eq!(
        send("ada@example.com").await.unwrap_err().status().map(u16::from),
        Some(421)
    );
    assert_eq!(set(serde_json::json!({ "nonsense": 1 })).await, 422);
    assert_eq!(
        world.sandbox.settings(),
        Settings {
            closed: true,
            ..Settings::default()
        }
    );
}

#[tokio::test]
async fn what_is_no_smtp_is_refused_and_hurts_nobody() {
    let world = World::start().await;
    let heard = world.say(b"GET / HTTP/1.1\r\nQUIT\r\n").await;
    assert_eq!(codes(&heard), ["220", "500", "221"]);
    // A line without an end is cut off; what was said before may be lost with the connection.
    let heard = world.say(&[b'x'; 10_000]).await;
    assert!(codes(&heard).iter().all(|code| *code == "220"), "{heard}");
    let cut = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: cut";
    assert_eq!(codes(&world.say(cut).await), ["220", "250", "250", "250", "354"]);
    assert_eq!(world.sandbox.mails(), [], "half a mail is none");
    let mut large = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n".to_vec();
    for _ in 0..1_100 {
        large.extend_from_slice(&[b'x'; 1_000]);
        large.extend_from_slice(b"\r\n");
    }
    large.extend_from_slice(b".\r\nQUIT\r\n");
    let heard = world.say(&large).await;
    assert_eq!(codes(&heard), ["220", "250", "250", "250", "354", "552", "221"]);
    assert_eq!(world.sandbox.mails(), []);
}

#[tokio::test]
async fn the_page_and_the_api_show_what_was_caught() {
    let world = World::start().await;
    let text = "<script>alert(1)</script>";
    world
        .client()
        .send(message("ada@example.com", text))
        .await
        .unwrap();
    let get = async |path: &str| {
        let http = service_kit::http::client(Duration::from_secs(5));
        let answer = http.get(format!("{}{path}", world.page)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (_, list) = get("/").await;
    assert!(
        list.contains("ada@example.com") && list.contains("/mails/1"),
        "{list}"
    );
    let (_, page) = get("/mails/1").await;
    assert!(
        page.contains("&lt;script&gt;") && !page.contains("<script>"),
        "{page}"
    );
    let (status, api) = get("/api/mails/1").await;
    assert!(status == 200 && api.contains("one@example.com"), "{api}");
    assert!(
        get("/api/mails?to=ada@example.com")
            .await
            .1
            .contains("one@example.com")
    );
    assert_eq!(get("/api/mails?to=nobody@example.com").await.1, "[]");
    assert_eq!((get("/mails/9").await.0, get("/api/mails/9").await.0), (404, 404));
}
