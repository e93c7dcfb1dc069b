//! Defaults: what a database gives to whatever is made in it without saying.

use crate::look::pinned_select;
use windlass_core::driver::Product;

/// Asks for the defaults of the session's database, in the words of `ALTER DATABASE`.
pub(crate) fn query(product: Product) -> String {
    let comment = match product {
        Product::MariaDb => ", ' COMMENT ', QUOTE(schema_comment)",
        _ => "",
    };
    format!(
        "{}CAST(CONCAT('CHARACTER SET ', default_character_set_name, ' COLLATE ', default_collation_name{comment}) AS BINARY) \
         FROM information_schema.schemata WHERE schema_name = DATABASE()",
        pinned_select(product)
    )
}
