//! A page of products with its edges, count and facets.

use async_graphql::{Context, Object, SimpleObject};
use graphql_kit::page::Page;
use graphql_kit::{PageInfoObject, Result};

use super::loader::api_error;
use super::product::ProductObject;
use crate::App;
use crate::app::list_products;
use crate::domain::{self, Filter, Product};

/// A page of a product list.
pub(super) struct ProductConnection {
    /// The products of the page, each with its cursor.
    pub(super) page: Page<Product>,
    /// What the whole list is filtered by.
    pub(super) filter: Filter,
    /// What was searched for in place of the text.
    pub(super) corrected: Option<String>,
}

/// A page of products. The count and the facets are worked out only when asked for.
#[Object]
impl ProductConnection {
    /// The products with their cursors.
    async fn edges(&self) -> Vec<ProductEdge> {
        let edge = |(cursor, product): &(String, Product)| ProductEdge {
            cursor: cursor.clone(),
            node: ProductObject(product.clone()),
        };
        self.page.items.iter().map(edge).collect()
    }

    /// The products, without their cursors.
    async fn nodes(&self) -> Vec<ProductObject> {
        self.page
            .items
            .iter()
            .map(|(_, product)| ProductObject(product.clone()))
            .collect()
    }

    /// Where the page stands in the list.
    async fn page_info(&self) -> PageInfoObject {
        self.page.page_info()
    }

    /// What was searched for, where the text itself finds nothing and has words that the catalogue doesn't know: the
    /// same text with those words corrected. Null when nothing was corrected.
    async fn corrected_text(&self) -> Option<&str> {
        self.corrected.as_deref()
    }

    /// How many products all pages hold together.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let count = list_products::count(ctx.data_unchecked::<App>(), &self.filter).await;
        Ok(i32::try_from(count.map_err(api_error)?).unwrap_or(i32::MAX))
    }

    /// How the products of all pages spread over brands and categories; each leaves its own filter out.
    async fn facets(&self, ctx: &Context<'_>) -> Result<Vec<Facet>> {
        let facets = list_products::facets(ctx.data_unchecked::<App>(), &self.filter).await;
        Ok(facets.map_err(api_error)?.into_iter().map(Facet::from).collect())
    }
}

/// A product in a list.
#[derive(SimpleObject)]
pub(super) struct ProductEdge {
    /// Pass it as `after` to go on behind this product.
    pub(super) cursor: String,
    /// The product.
    pub(super) node: ProductObject,
}

/// How the products of a list spread over one property.
#[derive(SimpleObject)]
pub(super) struct Facet {
    /// The property: "brand" or "category".
    pub(super) name: String,
    /// Its values, the most frequent first, at most 50.
    pub(super) values: Vec<FacetValue>,
}

/// One value of a property.
#[derive(SimpleObject)]
pub(super) struct FacetValue {
    /// What the filter takes: a brand, or the id of a category.
    pub(super) value: String,
    /// What people read.
    pub(super) label: String,
    /// How many products have it.
    pub(super) count: i32,
}

impl From<domain::Facet> for Facet {
    fn from(facet: domain::Facet) -> Self {
        let value = |value: domain::FacetValue| FacetValue {
            value: value.value,
            label: value.label,
            count: i32::try_from(value.count).unwrap_or(i32::MAX),
        };
        Self {
            name: facet.name,
            values: facet.values.into_iter().map(value).collect(),
        }
    }
}
