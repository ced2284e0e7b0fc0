//! Composition: from the subgraphs' SDLs to two supergraphs, one whole and one public, and what clients see of each.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_federation::composition::{CompositionFailure, CompositionOptions, compose};
use apollo_federation::subgraph::typestate::{Initial, Subgraph};
use apollo_federation::{ApiSchemaOptions, Supergraph};

use crate::config::SupergraphConfig;
use crate::contract;
use crate::tree::Tree;

const HEAD: &str = "# Composed from the subgraphs' schema.graphql by `cargo xtask compose`. Don't edit.\n";

/// One of the two graphs that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Everything, for staff: the admin router.
    Admin,
    /// Without what is tagged `internal`: the public router.
    Public,
}

impl Variant {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Public, Self::Admin];

    /// Where its supergraph is committed, for a router.
    pub fn supergraph_file(self) -> &'static str {
        match self {
            Self::Admin => "router/supergraph.graphql",
            Self::Public => "router/supergraph.public.graphql",
        }
    }

    /// Where its API schema is committed, for those who write clients.
    pub fn api_file(self) -> &'static str {
        match self {
            Self::Admin => "router/api.graphql",
            Self::Public => "router/api.public.graphql",
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Public => "public",
        }
    }
}

/// A supergraph and what its clients see.
#[derive(Debug)]
pub struct Graph {
    /// As it is committed and read by a router.
    pub supergraph: String,
    /// Without the machinery of composition and without what is inaccessible.
    pub api: Valid<Schema>,
}

impl Graph {
    fn from_sdl(sdl: &str) -> Result<Self> {
        let supergraph = parse(sdl)?;
        let api = supergraph
            .to_api_schema(ApiSchemaOptions::default())
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut api = api.schema().clone().into_inner();
        api.types.sort_keys();
        Ok(Self {
            supergraph: format!("{HEAD}{sdl}"),
            // Only the order is another.
            api: Valid::assume_valid(api),
        })
    }

    /// The API schema as it is committed.
    pub fn api_text(&self) -> String {
        format!("{HEAD}{}", *self.api)
    }

    /// As the router parses it.
    pub(crate) fn parsed(&self) -> Result<Supergraph> {
        parse(&self.supergraph)
    }
}

fn parse(sdl: &str) -> Result<Supergraph> {
    Supergraph::new_with_router_specs(sdl).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Whether a schema has what a coordinate names: `Type`, `Type.member`, `Type.field(argument:)`.
pub(crate) fn has(schema: &Schema, coordinate: &str) -> bool {
    let (path, argument) = match coordinate.split_once('(') {
        Some((path, rest)) => (path, Some(rest.trim_end_matches(":)"))),
        None => (coordinate, None),
    };
    let (name, member) = match path.split_once('.') {
        Some((name, member)) => (name, Some(member)),
        None => (path, None),
    };
    let Some(kind) = schema.types.get(name) else {
        return false;
    };
    let Some(member) = member else {
        return true;
    };
    let field = match kind {
        ExtendedType::Object(object) => object.fields.get(member),
        ExtendedType::Interface(interface) => interface.fields.get(member),
        ExtendedType::InputObject(input) => return input.fields.contains_key(member),
        ExtendedType::Enum(values) => return values.values.contains_key(member),
        ExtendedType::Scalar(_) | ExtendedType::Union(_) => None,
    };
    field.is_some_and(|field| argument.is_none_or(|name| field.argument_by_name(name).is_some()))
}

/// What composition came to.
#[derive(Debug)]
pub struct Composed {
    /// The SDL of each subgraph.
    pub sdls: BTreeMap<String, String>,
    /// The whole graph.
    pub admin: Graph,
    /// The public one, or why it can't be made.
    pub public: Result<Graph>,
    /// What the composer remarked.
    pub hints: Vec<String>,
}

impl Composed {
    /// A graph; the error says why there is none.
    pub fn graph(&self, variant: Variant) -> Result<&Graph> {
        match (variant, &self.public) {
            (Variant::Admin, _) => Ok(&self.admin),
            (Variant::Public, Ok(graph)) => Ok(graph),
            (Variant::Public, Err(error)) => bail!("the public graph can't be made: {error:#}"),
        }
    }

    /// The files that are committed, with their text.
    pub fn files(&self) -> Result<Vec<(&'static str, String)>> {
        let mut files = Vec::new();
        for variant in Variant::ALL {
            let graph = self.graph(variant)?;
            files.push((variant.supergraph_file(), graph.supergraph.clone()));
            files.push((variant.api_file(), graph.api_text()));
        }
        Ok(files)
    }
}

/// The SDL of each subgraph, by its name.
pub fn sdls(tree: &Tree) -> Result<BTreeMap<String, String>> {
    let config = SupergraphConfig::read(tree)?;
    config
        .subgraphs
        .iter()
        .map(|(name, entry)| Ok((name.clone(), tree.read(entry.schema.path())?)))
        .collect()
}

/// Composes; the error holds every error of the composer, a line each.
pub fn composed(tree: &Tree) -> Result<Composed> {
    let config = SupergraphConfig::read(tree)?;
    let sdls = sdls(tree)?;
    let mut subgraphs: Vec<Subgraph<Initial>> = Vec::new();
    for (name, sdl) in &sdls {
        let url = &config.subgraphs[name].routing_url;
        let subgraph = Subgraph::parse(name, url, sdl).map_err(|error| {
            anyhow::anyhow!("{error}").context(format!("the SDL of {name} can't be read"))
        })?;
        subgraphs.push(subgraph);
    }
    let supergraph = match compose(subgraphs, CompositionOptions::default()) {
        Ok(supergraph) => supergraph,
        Err(CompositionFailure { errors, .. }) => {
            let lines: Vec<String> = errors
                .iter()
                .map(|error| format!("{}: {error}", error.code().definition().code()))
                .collect();
            bail!("{}", lines.join("\n"))
        }
    };
    let hints = supergraph
        .hints()
        .iter()
        .map(|hint| format!("{}: {}", hint.code(), hint.message()))
        .collect();
    let sdl = supergraph.schema().schema().to_string();
    Ok(Composed {
        sdls,
        public: contract::hide(&sdl).and_then(|public| Graph::from_sdl(&public)),
        admin: Graph::from_sdl(&sdl)?,
        hints,
    })
}
