//! The catalogue's nouns and rules, pure: no store, clock or transport.

mod category;
mod change;
mod correction;
mod draft;
mod fault;
mod listing;
mod product;

pub use category::{Category, CategoryPath};
pub use change::ProductChange;
pub use correction::{Asked, LONGEST_CORRECTED, Near, corrected};
pub use draft::{ProductDraft, VariantDraft, price_fault};
pub use fault::{Fault, FaultCode};
pub use listing::{Facet, FacetValue, Filter, Listing, Position, Sort, SortKey};
pub use product::{Product, ProductStatus, Variant, line_title, price_from};
