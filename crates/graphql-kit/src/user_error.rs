//! The `UserError` interface and the one way to implement it.

/// Declares a subgraph's user error: an object `{code, message, field}` that implements the interface `UserError`.
///
/// The interface comes out word for word the same in every subgraph. Write once per subgraph, in
/// `graphql/user_error.rs`:
///
/// ```
/// use async_graphql::{EmptyMutation, EmptySubscription, Enum, Object};
///
/// /// Why a cart can't be changed.
/// #[derive(Enum, Clone, Copy, PartialEq, Eq, Debug)]
/// pub enum CartErrorCode {
///     /// No such cart, or not yours.
///     CartNotFound,
///     /// Between 1 and 99.
///     QuantityInvalid,
/// }
///
/// graphql_kit::user_error! {
///     /// A business reason why a cart was not changed.
///     pub struct CartUserError(CartErrorCode);
/// }
///
/// # struct Query;
/// # #[Object]
/// # impl Query {
/// #     async fn errors(&self) -> Vec<CartUserError> { vec![] }
/// # }
/// // In a use case's translation:
/// let refused = CartUserError::new(CartErrorCode::QuantityInvalid, "Between 1 and 99").at(&["input", "quantity"]);
/// assert_eq!(refused.field.as_deref(), Some(&["input".to_owned(), "quantity".to_owned()][..]));
///
/// // Nothing returns the interface itself, so the schema must be told of it:
/// let schema = graphql_kit::builder(Query, EmptyMutation, EmptySubscription)
///     .register_output_type::<UserError>()
///     .finish();
/// assert!(graphql_kit::sdl(&schema).contains("type CartUserError implements UserError"));
/// ```
///
/// Attributes go through: `#[graphql(tag = "internal")]` on the struct tags the object (not the interface).
#[macro_export]
macro_rules! user_error {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($code:ty);) => {
        #[derive(Debug, Clone, $crate::async_graphql::SimpleObject)]
        $(#[$meta])*
        $vis struct $name {
            /// What happened, for programs.
            pub code: $code,
            /// What happened, for people.
            pub message: String,
            /// The path of the input field at fault, from the argument down.
            pub field: Option<Vec<String>>,
        }

        impl $name {
            /// An error with its code and a text for people.
            pub fn new(code: $code, message: impl Into<String>) -> Self {
                Self { code, message: message.into(), field: None }
            }

            /// Names the input field at fault, as a path from the argument down.
            #[must_use]
            pub fn at<S: AsRef<str>>(mut self, field: &[S]) -> Self {
                self.field = Some(field.iter().map(|part| part.as_ref().to_owned()).collect());
                self
            }
        }

        /// A business reason why a mutation did not do what was asked.
        #[derive(Debug, Clone, $crate::async_graphql::Interface)]
        #[graphql(
            name = "UserError",
            field(name = "message", desc = "What happened, for people.", ty = "&String"),
            field(
                name = "field",
                desc = "The path of the input field at fault, from the argument down.",
                ty = "&Option<Vec<String>>"
            )
        )]
        $vis enum UserError {
            /// This subgraph's only implementation.
            Error($name),
        }
    };
}
