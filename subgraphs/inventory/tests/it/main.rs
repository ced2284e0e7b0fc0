//! Inventory against its real database.
