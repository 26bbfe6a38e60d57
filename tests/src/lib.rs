//! Harness, load tool and end-to-end tests.
