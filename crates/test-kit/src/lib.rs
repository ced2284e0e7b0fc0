//! Real stores on free ports for the tests of a service, and tokens to call it with.
