//! The Category type.

use async_graphql::{Context, ID, Object};
use graphql_kit::Result;

use super::loader::{ChildrenOf, loader};
use crate::domain::Category;

/// A category as the graph shows it.
#[derive(Debug, Clone)]
pub(super) struct CategoryObject(pub(super) Category);

/// A node of the category tree.
#[Object(name = "Category")]
impl CategoryObject {
    /// Its id.
    async fn id(&self) -> ID {
        ID(self.0.id.to_string())
    }

    /// Its unique name in addresses.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The category above it; null for a root.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<CategoryObject>> {
        let Some(parent) = self.0.parent_id else {
            return Ok(None);
        };
        Ok(loader(ctx)?.load_one(parent).await?.map(CategoryObject))
    }

    /// The categories right below it, by slug.
    async fn children(&self, ctx: &Context<'_>) -> Result<Vec<CategoryObject>> {
        let children = loader(ctx)?.load_one(ChildrenOf(self.0.id)).await?;
        Ok(children
            .unwrap_or_default()
            .into_iter()
            .map(CategoryObject)
            .collect())
    }
}
