//! Bodies that are too large, of the wrong kind, or made to unpack; and methods other than POST.

use anyhow::Result;
use serde_json::json;

use crate::Case;
use crate::answer::Answer;
use crate::doors::Door;
use crate::ledger::Group;
use crate::limits::doors;
use crate::world::World;

pub(crate) const CASES: &[Case] = &[("limits: bodies", bodies)];

/// A name, a content type, more headers, and the body.
type Try<'t> = (&'t str, &'t str, Vec<(&'t str, &'t str)>, Vec<u8>);

fn bodies(world: &World) -> Result<()> {
    world.runtime.block_on(async {
        let group = Group::begin(world, "limits: bodies").await?;
        for door in doors() {
            let large = json!({ "query": "{ __typename }", "variables": { "pad": "x".repeat(3 * 1024 * 1024) } }).to_string();
            let deep = format!("{{\"query\": \"{{ __typename }}\", \"variables\": {{\"a\": {}{}}}}}", "[".repeat(500), "]".repeat(500));
            let plain = r#"{"query": "{ __typename }"}"#;
            let json_type = "application/json";
            let tries: Vec<Try<'_>> = vec![
                ("3 MB", json_type, vec![], large.clone().into_bytes()),
                ("variables 500 deep", json_type, vec![], deep.into_bytes()),
                ("a batch", json_type, vec![], format!("[{plain},{plain}]").into_bytes()),
                ("a batch of one", json_type, vec![], format!("[{plain}]").into_bytes()),
                ("an empty batch", json_type, vec![], b"[]".to_vec()),
                ("a number", json_type, vec![], b"1".to_vec()),
                ("null", json_type, vec![], b"null".to_vec()),
                ("nothing", json_type, vec![], vec![]),
                ("half a body", json_type, vec![], b"{\"query\": \"{ __ty".to_vec()),
                ("bytes that are no text", json_type, vec![], vec![0xff, 0xfe, 0x00]),
                ("a lone surrogate", json_type, vec![], b"{\"query\": \"\\ud800\"}".to_vec()),
                ("a query that is a number", json_type, vec![], br#"{"query": 1}"#.to_vec()),
                ("a query that is a list", json_type, vec![], br#"{"query": ["{ __typename }"]}"#.to_vec()),
                ("variables that are a list", json_type, vec![], br#"{"query": "{ __typename }", "variables": []}"#.to_vec()),
                ("variables that are a text", json_type, vec![], br#"{"query": "{ __typename }", "variables": "{}"}"#.to_vec()),
                ("an operationName that is a number", json_type, vec![], br#"{"query": "{ __typename }", "operationName": 1}"#.to_vec()),
                ("a form", "application/x-www-form-urlencoded", vec![], b"query={__typename}".to_vec()),
                ("text/plain", "text/plain", vec![], plain.as_bytes().to_vec()),
                ("multipart", "multipart/form-data; boundary=x", vec![], format!("--x\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{plain}\r\n--x--\r\n").into_bytes()),
                ("application/graphql", "application/graphql", vec![], b"{ __typename }".to_vec()),
                ("no content type", "", vec![], plain.as_bytes().to_vec()),
                ("a gzip bomb", json_type, vec![("content-encoding", "gzip")], bomb()),
                ("an unknown encoding", json_type, vec![("content-encoding", "zstd9")], plain.as_bytes().to_vec()),
            ];
            for (name, kind, headers, body) in tries {
                let fresh = service_kit::http::client(std::time::Duration::from_secs(20));
                // A connection of its own: who refuses a body may close the line under the next request.
                let mut request = fresh.post(world.graphql_url(door)?);
                if !kind.is_empty() {
                    request = request.header("content-type", kind);
                }
                if !door.is_router() {
                    request = request.header("x-gateway-key", crate::world::GATEWAY_KEY);
                }
                for (header, value) in headers {
                    request = request.header(header, value);
                }
                let answer = match request.body(body).send().await {
                    Ok(response) => Answer::read(response).await?,
                    // Whoever stops reading a body that is too large may be gone before it has all been sent.
                    Err(_) if name == "3 MB" => Answer::new("cut off"),
                    Err(error) => return Err(error.into()),
                };
                // The router knows no better word for a media type it does not read.
                let odd = door.is_router() && answer.outcome == "500 WITHOUT_CODE" && name == "application/graphql";
                let refused = answer.outcome.starts_with('4') || answer.outcome == "cut off" || odd;
                let silent = !answer.outcome.ends_with("data");
                group.judged(format!("{}: {name}", door.name()), refused && silent, answer.outcome);
            }
            gets(world, &group, door).await?;
        }
        group.end().await
    })
}

/// A browser may be made to send a GET: it never runs anything, and never a mutation.
async fn gets(world: &World, group: &Group<'_>, door: Door) -> Result<()> {
    let url = world.graphql_url(door)?;
    let change = "mutation%20%7B%20logout(input:%20%7BrefreshToken:%20%22x%22%7D)%20%7B%20userErrors%20%7B%20code%20%7D%20%7D%20%7D";
    for (name, query) in [
        ("a query by GET", "query=%7B__typename%7D"),
        ("a mutation by GET", change),
    ] {
        if name == "a mutation by GET" && door == Door::Service("product") {
            continue;
        }
        let get = world
            .http
            .get(format!(
                "{url}?{}",
                if query.starts_with("query=") {
                    query.to_owned()
                } else {
                    format!("query={query}")
                }
            ))
            .header("x-gateway-key", crate::world::GATEWAY_KEY)
            .header("accept", "text/html,*/*");
        let answer = Answer::read(get.send().await?).await?;
        let refused = answer.outcome.starts_with('4') && !answer.outcome.ends_with("data");
        group.judged(format!("{}: {name}", door.name()), refused, answer.outcome);
    }
    for method in [
        reqwest::Method::PUT,
        reqwest::Method::DELETE,
        reqwest::Method::PATCH,
    ] {
        let request = world
            .http
            .request(method.clone(), &url)
            .header("x-gateway-key", crate::world::GATEWAY_KEY)
            .header("content-type", "application/json")
            .body(r#"{"query": "{ __typename }"}"#);
        let answer = Answer::read(request.send().await?).await?;
        group.judged(
            format!("{}: {method}", door.name()),
            answer.outcome.starts_with("405"),
            answer.outcome,
        );
    }
    Ok(())
}

/// Ten kilobytes that unpack to ten megabytes.
fn bomb() -> Vec<u8> {
    // One deflate block of a repeated byte: distance 1, length 258, as often as it takes.
    let mut bits = Bits::default();
    bits.put(1, 1);
    bits.put(1, 2);
    bits.literal(b' ');
    for _ in 0..40_000 {
        // Length 258 is code 285 (fixed: 11000101), distance 1 is code 0.
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    bits.code(0, 7);
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(bits.finish());
    out.extend([0; 8]);
    out
}

/// Writes deflate's bits: numbers from the low end, codes from the high one.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, bits: u32) {
        self.held |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.out.push((self.held & 0xff) as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn code(&mut self, code: u32, bits: u32) {
        for at in (0..bits).rev() {
            self.put((code >> at) & 1, 1);
        }
    }

    fn literal(&mut self, byte: u8) {
        self.code(0x30 + u32::from(byte), 8);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.out.push((self.held & 0xff) as u8);
        }
        self.out
    }
}
