//! Auth against its real stores.
