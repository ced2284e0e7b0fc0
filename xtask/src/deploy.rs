//! Gets what the checks of the manifests need: helm, kustomize and the like from their Go modules, JSON schemas from a
//! Python package, definitions of custom resources from Go modules. What can't be had is said; the tests that need it
//! then count as ignored.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Programs, and the Go packages they are built from.
const PROGRAMS: [(&str, &str); 4] = [
    ("kustomize", "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"),
    ("helm", "helm.sh/helm/v3/cmd/helm@v3.22.0"),
    (
        "kubeconform",
        "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0",
    ),
    (
        "promtool",
        "github.com/prometheus/prometheus/cmd/promtool@v0.305.0",
    ),
];

/// Modules that carry definitions of custom resources we use: the folder, and the files' beginnings.
const DEFINITIONS: [(&str, &str, &[&str]); 4] = [
    (
        "sigs.k8s.io/gateway-api@v1.3.0",
        "config/crd/standard",
        &[
            "gateway.networking.k8s.io_gateways",
            "gateway.networking.k8s.io_httproutes",
        ],
    ),
    (
        "github.com/cloudnative-pg/cloudnative-pg@v1.27.0",
        "config/crd/bases",
        &[
            "postgresql.cnpg.io_clusters",
            "postgresql.cnpg.io_databases",
            "postgresql.cnpg.io_scheduledbackups",
        ],
    ),
    (
        "github.com/rabbitmq/cluster-operator/v2@v2.16.0",
        "config/crd/bases",
        &["rabbitmq.com_rabbitmqclusters"],
    ),
    (
        "github.com/external-secrets/external-secrets@v1.3.2",
        "config/crds/bases",
        &["external-secrets.io_externalsecrets"],
    ),
];

/// The package whose wheel holds the schemas of every Kubernetes version, and the versions we check against.
const SCHEMAS: &str = "kubernetes-validate==1.37.0";
const VERSIONS: [&str; 2] = ["v1.35.0", "v1.37.0"];

/// Gets what is missing. Never fails: a machine without Go or Python runs fewer tests and says so.
pub(crate) fn prepare() {
    let Some(cache) = cache() else {
        println!("there is no home folder to keep tools in: HOME is not set");
        return;
    };
    let wanted = [
        ("helm, kustomize, kubeconform, promtool", programs(&cache)),
        ("schemas of Kubernetes", schemas(&cache)),
        ("definitions of custom resources", definitions(&cache)),
        ("kube-apiserver", api_server(&cache)),
    ];
    for (what, outcome) in wanted {
        if let Err(error) = outcome {
            println!("NOT HERE: {what}: {error:#}");
        }
    }
}

fn cache() -> Option<PathBuf> {
    let base = std::env::var_os("MERCATO_CACHE").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mercato"));
    Some(base.or_else(home)?.join("tools"))
}

fn has(program: &str, cache: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    cache.join("bin").join(program).is_file()
        || std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn programs(cache: &Path) -> Result<()> {
    for (program, package) in PROGRAMS {
        if !has(program, cache) {
            println!("building {program} from {package}");
            run(go()?.args(["install", package]).env("GOBIN", cache.join("bin")))?;
        }
    }
    Ok(())
}

/// Only where it was asked for: it compiles for many minutes.
fn api_server(cache: &Path) -> Result<()> {
    if has("kube-apiserver", cache) {
        return Ok(());
    }
    if std::env::var_os("MERCATO_API_SERVER").is_none() {
        bail!("set MERCATO_API_SERVER=1 to build it (long), and install etcd");
    }
    println!("building kube-apiserver");
    let module = workspace::root().join("tests/deploy/apiserver");
    let program = cache.join("bin/kube-apiserver");
    run(go()?
        .args(["build", "-o"])
        .arg(program)
        .arg(".")
        .current_dir(module))
}

fn schemas(cache: &Path) -> Result<()> {
    let folder = cache.join("schemas");
    if VERSIONS.iter().all(|version| folder.join(version).is_dir()) {
        return Ok(());
    }
    println!("fetching {SCHEMAS}");
    let wheel = tempfile::tempdir()?;
    let download = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest"];
    run(Command::new("python3")
        .args(download)
        .arg(wheel.path())
        .arg(SCHEMAS))?;
    let file = std::fs::read_dir(wheel.path())?
        .next()
        .context("pip fetched nothing")??;
    let place = wheel.path().join("unpacked");
    run(Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .arg(file.path())
        .arg(&place))?;
    for version in VERSIONS {
        let from = place.join(format!(
            "kubernetes_validate/kubernetes-json-schema/{version}-local-strict"
        ));
        let to = folder.join(version);
        std::fs::create_dir_all(&to)?;
        for entry in std::fs::read_dir(&from).with_context(|| from.display().to_string())? {
            let entry = entry?;
            // They name each other by addresses on a server; here they lie side by side.
            let text = std::fs::read_to_string(entry.path())?;
            let text = text.replace("\"/api/_definitions.json", "\"_definitions.json");
            let mut schema: serde_json::Value = serde_json::from_str(&text)?;
            if let Some(fields) = schema.as_object_mut() {
                fields.shift_remove("$id");
            }
            std::fs::write(to.join(entry.file_name()), schema.to_string())?;
        }
    }
    Ok(())
}

fn definitions(cache: &Path) -> Result<()> {
    let folder = cache.join("crds");
    if folder.is_dir() {
        return Ok(());
    }
    let part = tempfile::tempdir_in(cache)?;
    for (module, place, beginnings) in DEFINITIONS {
        println!("fetching {module}");
        let output = go()?
            .args(["mod", "download", "-json", module])
            .current_dir(part.path())
            .output()?;
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).context(module)?;
        let source = told["Dir"]
            .as_str()
            .with_context(|| format!("{module}: {}", told["Error"]))?;
        let source = Path::new(source).join(place);
        for beginning in beginnings {
            let file = std::fs::read_dir(&source)
                .with_context(|| source.display().to_string())?
                .flatten()
                .find(|entry| entry.file_name().to_string_lossy().starts_with(beginning))
                .with_context(|| format!("{module} has no {beginning}"))?;
            std::fs::copy(file.path(), part.path().join(file.file_name()))?;
        }
    }
    std::fs::rename(part.keep(), &folder).context("crds")
}

fn go() -> Result<Command> {
    let mut command = Command::new("go");
    let found = Command::new("go").arg("version").output();
    if found.is_ok_and(|output| output.status.success()) {
        command.env("GOFLAGS", "-buildvcs=false");
        return Ok(command);
    }
    bail!("Go is not installed")
}

fn run(command: &mut Command) -> Result<()> {
    let name = workspace::shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| name.clone())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let tail: Vec<&str> = said.lines().rev().take(3).collect();
        bail!("{name}: {}", tail.join(" "));
    }
    Ok(())
}
