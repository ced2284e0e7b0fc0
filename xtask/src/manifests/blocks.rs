//! Lists of services inside files that people write. Pure.

use anyhow::{Context, Result, bail};
use roster::{Language, Service};
use std::fmt::Write as _;

use super::{cluster, service};

const BEGIN: &str = "# roster: ";
const END: &str = "# roster: end";

/// The text with every block as it should be, at the margin of its mark.
pub(super) fn fill(text: &str) -> Result<String> {
    let mut out = String::new();
    let mut blocks = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let margin = &line[..line.len() - line.trim_start().len()];
        let Some(kind) = line.trim_start().strip_prefix(BEGIN) else {
            continue;
        };
        blocks += 1;
        for inner in content(kind)?.lines() {
            if !inner.is_empty() {
                out.push_str(margin);
                out.push_str(inner);
            }
            out.push('\n');
        }
        let end = lines
            .find(|line| line.trim_start() == END)
            .with_context(|| format!("{kind} has no end"))?;
        out.push_str(end);
        out.push('\n');
    }
    if blocks == 0 {
        bail!("no block of the roster is in it");
    }
    Ok(out)
}

/// What stands in a block of this kind.
fn content(kind: &str) -> Result<String> {
    let words: Vec<&str> = kind.split(' ').collect();
    Ok(match words.as_slice() {
        ["peers", which @ ..] => cluster::peers(&select(which)?),
        ["names"] => each(|service| format!("- {}", service.name)),
        ["absent"] => absent(),
        ["boards"] => each(|service| format!("- grafana/dashboards/service-{}.json", service.name)),
        ["configs", origin, rest @ ..] => cluster::configs(origin, rest.first().copied()),
        ["containers"] => each(container),
        ["databases"] => format!("for service in {}; do", roster::WITH_DATABASE.join(" ")),
        ["graph-urls"] => each(|service| format!("{}_GRAPHQL_URL={}", service.upper(), graph(service))),
        ["hba"] => databases(|name| format!("- hostssl {name}_db {name} all scram-sha-256")),
        ["hba-others"] => databases(|name| format!("- host {name}_db all all reject")),
        ["hive-urls"] => each(|service| {
            let (name, upper, url) = (&service.name, service.upper(), graph(service));
            format!("{name}: {{ url: {{ from_env: {upper}_GRAPHQL_URL, default: \"{url}\" }} }}")
        }),
        ["image-packages"] => format!("ARG SERVICES=\"{}\"", crates().join(" ")),
        ["image-names"] => format!("services=\"{}\"", crates().join(" ")),
        ["images"] => each(image),
        ["live-gateway"] => live(|name, path| {
            format!(
                "- matches:\n    - path:\n        type: Exact\n        value: {path}\n  timeouts:\n    request: 0s\n  backendRefs:\n    - name: {name}\n      port: 8082"
            )
        }),
        ["live-ingress"] => live(|name, path| {
            format!(
                "- path: {path}\n  pathType: Exact\n  backend:\n    service:\n      name: {name}\n      port:\n        name: http-public"
            )
        }),
        ["live-locations"] => live(|name, path| {
            format!(
                "location = {path} {{\n  include /etc/nginx/stream.conf;\n  proxy_pass http://live-{name};\n}}"
            )
        }),
        ["live-upstreams"] => live(|name, _| format!("upstream live-{name} {{ server {name}:8082; }}")),
        ["hive-live"] => live(|name, path| format!("{name}:\n  path: {path}")),
        ["ready"] => each(|service| format!("{}: {{ condition: service_healthy }}", service.name)),
        ["roles"] => databases(|name| {
            format!(
                "- name: {name}\n  ensure: present\n  login: true\n  connectionLimit: 80\n  passwordSecret:\n    name: postgres-{name}"
            )
        }),
        ["router-urls"] => each(|service| {
            let (name, upper, url) = (&service.name, service.upper(), graph(service));
            format!("{name}: ${{env.{upper}_GRAPHQL_URL:-{url}}}")
        }),
        ["scraped"] => each(|service| {
            let name = &service.name;
            format!("- {{ targets: [\"{name}:9090\"], labels: {{ service: {name} }} }}")
        }),
        ["up", which @ ..] => lines(&select(which)?, |service| {
            format!("- series: up{{service=\"{}\"}}\n  values: 1+0x20", service.name)
        }),
        _ => bail!("there is no block {kind}"),
    })
}

/// `all`, those with a store (`database`, `redis`, `broker`), or all but one (`but auth`).
fn select(which: &[&str]) -> Result<Vec<&'static Service>> {
    let keep: &dyn Fn(&Service) -> bool = match which {
        ["all"] => &|_| true,
        ["database"] => &|service| service.database,
        ["redis"] => &|service| service.redis.is_some(),
        ["broker"] => &Service::has_broker,
        ["but", other] => &|service| service.name != *other,
        _ => bail!("{which:?} selects nothing"),
    };
    Ok(roster::all().iter().filter(|service| keep(service)).collect())
}

fn lines(services: &[&Service], line: impl Fn(&Service) -> String) -> String {
    let all: Vec<String> = services.iter().map(|service| line(service)).collect();
    all.join("\n")
}

fn each(line: impl Fn(&Service) -> String) -> String {
    lines(&roster::all().iter().collect::<Vec<_>>(), line)
}

/// A block for each service that serves subscriptions, and where.
fn live(line: impl Fn(&str, &str) -> String) -> String {
    let live = roster::all()
        .iter()
        .filter_map(|service| Some((service, service.live_path()?)));
    let all: Vec<String> = live.map(|(service, path)| line(&service.name, &path)).collect();
    all.join("\n")
}

fn databases(line: impl Fn(&str) -> String) -> String {
    roster::WITH_DATABASE.map(line).join("\n")
}

fn graph(service: &Service) -> String {
    format!("http://{}:8080/graphql", service.name)
}

/// Services that cargo builds.
fn crates() -> Vec<&'static str> {
    let all = roster::all().iter();
    let crates = all.filter(|service| service.language == Language::Rust);
    crates.map(|service| service.name.as_str()).collect()
}

/// No process of one kind is known, whichever it is.
fn absent() -> String {
    let others = ["router", "router-staff", "auditor-watch"];
    let all = roster::SERVICES.into_iter().chain(others);
    let absent = all.map(|name| format!("absent(up{{service=\"{name}\"}})"));
    format!("expr: {}", absent.collect::<Vec<_>>().join(" or "))
}

/// The last stages of a service's image.
fn image(service: &Service) -> String {
    let name = &service.name;
    match service.language {
        Language::Rust => format!(
            "FROM runtime AS {name}\nCOPY --from=binaries /out/{name} /usr/local/bin/{name}\nENTRYPOINT [\"/usr/local/bin/{name}\"]\n"
        ),
        // Built where npm is, run where it is not.
        Language::Typescript => format!(
            "FROM node-build AS {name}-build
COPY subgraphs/{name}/package.json subgraphs/{name}/package-lock.json subgraphs/{name}/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY subgraphs/{name}/tsconfig.json subgraphs/{name}/tsconfig.build.json ./
COPY subgraphs/{name}/src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund
COPY subgraphs/{name}/migrations ./migrations

FROM node-runtime AS {name}
COPY --from={name}-build /app /app
ENTRYPOINT [\"/nodejs/bin/node\", \"/app/dist/main.js\"]
"
        ),
    }
}

/// A service in `compose.yaml`.
fn container(service: &Service) -> String {
    let name = &service.name;
    let merged = match name.as_str() {
        "auth" => "*environment",
        _ => "[*environment, *verifier]",
    };
    let mut text = format!(
        "{name}:
  <<: *service
  image: mercato/{name}:${{MERCATO_VERSION:-0.1.0}}
  build: {{ context: ., dockerfile: docker/Dockerfile, target: {name} }}
  environment:
    <<: {merged}
"
    );
    for (variable, value) in service::container_variables(service) {
        let _ = writeln!(text, "    {variable}: {value}");
    }
    text.push_str("  volumes: [\"secrets:/run/secrets:ro\"]\n  depends_on:\n");
    let sandbox = service
        .outside
        .as_ref()
        .and_then(|outside| outside.sandbox.as_ref());
    let needs = [
        service.database.then_some("postgres"),
        service.redis.is_some().then_some("redis"),
        service.has_broker().then_some("rabbitmq"),
        sandbox.map(|place| place.name.as_str()),
    ];
    for needed in needs.into_iter().flatten() {
        let _ = writeln!(text, "    {needed}: {{ condition: service_healthy }}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_outside_the_marks_stays() {
        let text = "a: 1\nlist:\n  # roster: names\n  - gone\n  # roster: end\n  - other\n";
        let filled = fill(text).unwrap();
        assert!(filled.starts_with("a: 1\nlist:\n  # roster: names\n  - analytics\n  - auth\n"));
        assert!(filled.ends_with("  - webhook\n  # roster: end\n  - other\n"));
        assert!(!filled.contains("gone"));
        assert_eq!(fill(&filled).unwrap(), filled);
    }

    #[test]
    fn a_file_without_marks_or_with_wrong_ones_is_told() {
        for (text, wanted) in [
            ("a: 1\n", "no block"),
            ("# roster: names\n- a\n", "has no end"),
            ("# roster: nothing\n# roster: end\n", "no block nothing"),
            ("# roster: peers some\n# roster: end\n", "selects nothing"),
        ] {
            let error = fill(text).unwrap_err();
            assert!(format!("{error:#}").contains(wanted), "{error:#}");
        }
    }

    #[test]
    fn services_are_chosen_by_what_they_have() {
        let names = |which: &[&str]| -> Vec<&str> {
            let chosen = select(which).unwrap();
            chosen.iter().map(|service| service.name.as_str()).collect()
        };
        assert!(!names(&["database"]).contains(&"cart") && names(&["redis"]).contains(&"cart"));
        assert!(!names(&["broker"]).contains(&"product"));
        assert!(!names(&["but", "auth"]).contains(&"auth"));
    }
}
