//! Pages of orders.

use async_graphql::{Object, SimpleObject};
use graphql_kit::PageInfoObject;
use graphql_kit::page::Page;

use super::types::OrderObject;

/// A page of orders.
pub(crate) struct OrderConnection(pub(super) Page<OrderObject>);

/// A page of orders.
#[Object]
impl OrderConnection {
    /// The orders, each with its cursor.
    async fn edges(&self) -> Vec<OrderEdge> {
        let edge = |(cursor, node): &(String, OrderObject)| OrderEdge {
            cursor: cursor.clone(),
            node: node.clone(),
        };
        self.0.items.iter().map(edge).collect()
    }

    /// The orders.
    async fn nodes(&self) -> Vec<OrderObject> {
        self.0.items.iter().map(|(_, order)| order.clone()).collect()
    }

    /// Where the page stands in its list.
    async fn page_info(&self) -> PageInfoObject {
        self.0.page_info()
    }
}

/// An order on a page.
#[derive(SimpleObject)]
pub(crate) struct OrderEdge {
    /// Pass it as `after` to go on from here.
    cursor: String,
    /// The order.
    node: OrderObject,
}
