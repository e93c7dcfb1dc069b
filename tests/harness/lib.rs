//! What every scenario shares.
