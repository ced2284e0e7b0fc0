//! The operations of `operations/*.graphql` with their types.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::{GraphError, Operation};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($file:literal): $variables:ty => $data:ty;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Operation for $name {
            const NAME: &'static str = stringify!($name);
            const TEXT: &'static str = include_str!(concat!("../operations/", $file, ".graphql"));
            type Variables = $variables;
            type Data = $data;
        }
    )*};
}

operations! {
    /// Makes an account.
    Register("register"): Input<RegisterInput> => RegisterData;
    /// Signs in.
    Login("login"): Input<LoginInput> => LoginData;
    /// Renews a session.
    RefreshSession("refresh_session"): Input<RefreshSessionInput> => RefreshSessionData;
    /// Makes a cart with lines.
    CreateCart("create_cart"): Input<CreateCartInput> => CreateCartData;
    /// Orders a cart.
    CreateOrder("create_order"): Input<CreateOrderInput> => CreateOrderData;
    /// Gives an order up.
    CancelOrder("cancel_order"): Input<CancelOrderInput> => CancelOrderData;
    /// An order and its payment, from two services.
    OrderPayment("order_payment"): ById => OrderPaymentData;
    /// Variants by SKU.
    Variants("variants"): BySkus => VariantsData;
    /// What is said of products, by SKU.
    Reviewed("reviewed"): BySkus => ReviewedData;
    /// Reviews a product.
    CreateReview("create_review"): Input<CreateReviewInput> => CreateReviewData;
    /// Stock by SKU; for staff.
    StockLevels("admin/stock_levels"): BySkus => StockLevelsData;
    /// What was sold; for staff.
    SalesTotals("admin/sales_totals"): Period => SalesTotalsData;
    /// The first products of the catalogue.
    Catalogue("catalogue"): First => CatalogueData;
    /// Loads products; for administrators.
    ImportProducts("admin/import_products"): Input<Value> => ImportProductsData;
    /// Loads stock; for administrators.
    ImportStock("admin/import_stock"): Input<ImportStockInput> => ImportStockData;
    /// Makes a coupon; for administrators.
    CreateCoupon("admin/create_coupon"): Input<Value> => CreateCouponData;
}

/// The one variable of every mutation.
#[derive(Debug, Serialize)]
pub struct Input<I> {
    /// The mutation's input.
    pub input: I,
}

/// A business reason why a mutation did nothing.
#[derive(Debug, Clone, Deserialize)]
pub struct UserError {
    /// Stable code.
    pub code: String,
    /// For people.
    pub message: String,
    /// The path of the input field at fault.
    pub field: Option<Vec<String>>,
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)
    }
}

/// The result of a payload, or its user errors.
pub(crate) fn outcome<T>(result: Option<T>, user_errors: Vec<UserError>) -> Result<T, GraphError> {
    match result {
        Some(result) if user_errors.is_empty() => Ok(result),
        _ => Err(GraphError::Refused(user_errors)),
    }
}

macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[expect(missing_docs, reason = "the fields are the schema's, described there")]
        pub struct $name { $(pub $field: $type),* }
    )*};
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $field:ident: $type:ty })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[expect(missing_docs, reason = "the one field is the operation's root field")]
        pub struct $name { pub $field: $type }
    )*};
}

wire! {
    /// Variables of `Register`.
    RegisterInput { email: String, password: String, display_name: String }
    /// Variables of `Login`.
    LoginInput { email: String, password: String }
    /// Variables of `RefreshSession`.
    RefreshSessionInput { refresh_token: String }
    /// Variables of `CreateCart`.
    CreateCartInput { currency_code: String, lines: Vec<CartLineInput>, idempotency_key: String }
    /// A line of a new cart.
    CartLineInput { variant_id: String, quantity: u32 }
    /// Variables of `CreateOrder`.
    CreateOrderInput { cart_id: String, cart_version: i32, expected_total: String, payment_method: String, idempotency_key: String }
    /// Variables of `CancelOrder`.
    CancelOrderInput { order_id: String, idempotency_key: String }
    /// Variables of `CreateReview`.
    CreateReviewInput { product_id: String, rating: i32, title: String, body: String, idempotency_key: String }
    /// A review.
    ReviewView { id: String, rating: i32, title: String }
    /// A variant of a product with reviews.
    ReviewedVariant { product: ReviewedProduct }
    /// A product and what is said of it.
    ReviewedProduct { id: String, title: String, review_count: Option<i64>, average_rating: Option<f64>, viewer_can_review: Option<bool> }
    /// Variables of `ImportStock`.
    ImportStockInput { lines: Vec<StockLine>, idempotency_key: String }
    /// A SKU and its units.
    StockLine { sku: String, quantity: u32 }
    /// Variables of a query by id.
    ById { id: String }
    /// Variables of a query by SKUs.
    BySkus { skus: Vec<String> }
    /// What was sold in a time.
    SalesReportView { totals: SalesFiguresView }
    /// Figures of sales.
    SalesFiguresView { orders: i64, paid: i64, cancelled: i64, revenue: MoneyView, refunded: MoneyView }
    /// Variables of a query about a time.
    Period { from: DateTime<Utc>, to: DateTime<Utc> }
    /// Variables of a first page.
    First { first: i32 }
    /// A signed-in session.
    SessionView { access_token: String, refresh_token: String, expires_at: DateTime<Utc>, user: UserView }
    /// A user.
    UserView { id: String }
    /// An amount.
    MoneyView { amount: String, currency_code: String }
    /// A cart.
    CartView { id: String, version: i32, subtotal: MoneyView }
    /// An order.
    OrderView { id: String, number: String, status: String, cancel_reason: Option<String>, total: MoneyView }
    /// An order and its payment.
    OrderWithPayment { id: String, status: String, cancel_reason: Option<String>, payment: Option<PaymentView> }
    /// A payment.
    PaymentView { status: String, decline_code: Option<String>, amount: MoneyView, refunded: MoneyView }
    /// A variant.
    VariantView { id: String, sku: String }
    /// A variant and its stock.
    StockedVariant { id: String, sku: String, stock_level: Option<StockLevelView> }
    /// Units of a SKU.
    StockLevelView { received: i64, available: i64, reserved: i64, sold: i64 }
    /// A page of products.
    Products { nodes: Vec<ProductView> }
    /// A product.
    ProductView { slug: String, title: String, variants: Vec<OfferedVariant> }
    /// A variant as it is offered.
    OfferedVariant { id: String, sku: String, title: String, price: MoneyView, availability: Option<AvailabilityView> }
    /// Whether there is any.
    AvailabilityView { status: String, max_order_quantity: i32 }
}

/// What a session mutation answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionPayload {
    /// The session, when signed in.
    pub session: Option<SessionView>,
    /// Why not.
    pub user_errors: Vec<UserError>,
}

/// What a cart mutation answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CartPayload {
    /// The cart, when changed.
    pub cart: Option<CartView>,
    /// Why not.
    pub user_errors: Vec<UserError>,
}

/// What an order mutation answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPayload {
    /// The order, when accepted.
    pub order: Option<OrderView>,
    /// Why not.
    pub user_errors: Vec<UserError>,
}

/// What reviewing came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewPayload {
    /// The review, when accepted.
    pub review: Option<ReviewView>,
    /// Why not.
    pub user_errors: Vec<UserError>,
}

/// What an import of products came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportProductsPayload {
    /// New products.
    pub created: u64,
    /// Changed products.
    pub updated: u64,
    /// Products that were equal already.
    pub unchanged: u64,
    /// Why others were not loaded.
    pub user_errors: Vec<UserError>,
}

/// What an import of stock came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportStockPayload {
    /// SKUs that had fewer units.
    pub raised: Option<u64>,
    /// Why nothing was loaded.
    pub user_errors: Vec<UserError>,
}

/// What making a coupon came to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateCouponPayload {
    /// Why none was made.
    pub user_errors: Vec<UserError>,
}

answers! {
    /// Answer of `Register`.
    RegisterData { register: SessionPayload }
    /// Answer of `Login`.
    LoginData { login: SessionPayload }
    /// Answer of `RefreshSession`.
    RefreshSessionData { refresh_session: SessionPayload }
    /// Answer of `CreateCart`.
    CreateCartData { create_cart: CartPayload }
    /// Answer of `CreateOrder`.
    CreateOrderData { create_order: OrderPayload }
    /// Answer of `CancelOrder`.
    CancelOrderData { cancel_order: OrderPayload }
    /// Answer of `OrderPayment`.
    OrderPaymentData { order: Option<OrderWithPayment> }
    /// Answer of `Variants`.
    VariantsData { variants: Vec<Option<VariantView>> }
    /// Answer of `Reviewed`.
    ReviewedData { variants: Vec<Option<ReviewedVariant>> }
    /// Answer of `CreateReview`.
    CreateReviewData { create_review: ReviewPayload }
    /// Answer of `StockLevels`.
    StockLevelsData { variants: Vec<Option<StockedVariant>> }
    /// Answer of `SalesTotals`.
    SalesTotalsData { sales_report: Option<SalesReportView> }
    /// Answer of `Catalogue`.
    CatalogueData { products: Products }
    /// Answer of `ImportProducts`.
    ImportProductsData { import_products: ImportProductsPayload }
    /// Answer of `ImportStock`.
    ImportStockData { import_stock: ImportStockPayload }
    /// Answer of `CreateCoupon`.
    CreateCouponData { create_coupon: CreateCouponPayload }
}
