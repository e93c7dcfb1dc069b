//! The DDL of MySQL and MariaDB.

use super::{DdlError, Made, Product};
use crate::schema::{Key, Properties, Schema};

/// All statements.
pub(super) fn made(schema: &Schema, _product: Product) -> Result<Vec<Made>, DdlError> {
    Err(DdlError::Product(schema.origin.clone()))
}

/// What is written of an object.
pub(super) fn fragment(
    _schema: &Schema,
    _product: Product,
    _key: &Key,
    _properties: &Properties,
    _whole: bool,
) -> Option<String> {
    None
}
