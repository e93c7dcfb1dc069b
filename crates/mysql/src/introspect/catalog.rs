//! What of `information_schema` tells of a schema: which columns of which tables, as data.
//!
//! Left out is what follows from rows or from rights: counts, sizes, cardinalities, times, the next automatic number,
//! privileges.

use crate::dialect::numbers;
use crate::look::{name, pinned_select};
use crate::transport::Row;
use std::collections::BTreeSet;
use windlass_core::driver::Product;

/// One query.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) part: Part,
    from: &'static str,
    pub(super) columns: &'static [&'static str],
    /// The column that holds the database.
    database: &'static str,
    /// What more holds of the rows that are wanted.
    besides: &'static str,
}

/// By which of its values a row is of a part of the schema: the first of them that is not empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of(pub(super) &'static [usize]);

impl Of {
    /// The part, as [`windlass_core::schema::Key::part`] tells it of what is read out of the row.
    pub(super) fn part(self, row: &Row) -> &str {
        let values = self.0.iter().filter_map(|at| row.get(*at)?.as_deref());
        values.into_iter().find(|value| !value.is_empty()).unwrap_or(DEFAULTS)
    }
}

/// What is told of the database is called.
pub(super) const DEFAULTS: &str = "defaults";

/// What the rows of a query are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Database,
    Tables,
    Columns,
    Indexes,
    Checks,
    References,
    ReferenceColumns,
    Partitions,
    Views,
    Parameters,
    Routines,
    Triggers,
    Events,
    Libraries,
}

/// The queries for every schema of a server, in the order in which they are read: what others refer to comes first.
pub(super) fn catalogs(product: Product, version: &str) -> Vec<&'static Catalog> {
    let has = |catalog: &&Catalog| catalog.part != Part::Libraries || numbers(version) >= LIBRARIES_SINCE;
    let all = if product == Product::MariaDb { MARIADB } else { MYSQL };
    all.iter().copied().filter(has).collect()
}

impl Catalog {
    /// The query, of all tables or of these, where it is about tables. Its values are bytes, whatever the connection's
    /// character set is.
    pub(super) fn query(&self, product: Product, database: &str, only: Option<&BTreeSet<String>>) -> String {
        let columns = self.columns.iter().map(|column| format!("CAST({column} AS BINARY)"));
        let (columns, from) = (columns.collect::<Vec<_>>().join(", "), self.from);
        let all =
            format!("{columns} FROM {from} WHERE {} = {}{}", self.database, name(database), self.besides);
        let selected = match (only, self.table()) {
            (Some(tables), Some(column)) => {
                // Of a table that is named alone MariaDB opens no other.
                let one = |table: &String| format!("{all} AND {column} = {}", name(table));
                tables.iter().map(one).collect::<Vec<_>>().join(" UNION ALL SELECT ")
            }
            _ => all,
        };
        format!("{}{selected}", pinned_select(product))
    }

    /// What the rows are of.
    pub(super) fn of(&self) -> Of {
        Of(match self.part {
            Part::Database => &[],
            Part::Parameters | Part::Routines => &[1],
            _ => &[0],
        })
    }

    /// The column that holds the table, where the rows are about tables: the first.
    pub(super) fn table(&self) -> Option<&'static str> {
        let is_of_none = matches!(
            self.part,
            Part::Database | Part::Parameters | Part::Routines | Part::Events | Part::Libraries
        );
        self.columns.first().copied().filter(|_| !is_of_none)
    }
}

/// MySQL's first version that has them.
const LIBRARIES_SINCE: (u32, u32, u32) = (9, 2, 0);

static MYSQL: &[&Catalog] = &[
    &MYSQL_DATABASE,
    &TABLES,
    &MYSQL_COLUMNS,
    &MYSQL_INDEXES,
    &MYSQL_CHECKS,
    &REFERENCES,
    &REFERENCE_COLUMNS,
    &PARTITIONS,
    &MYSQL_VIEWS,
    &PARAMETERS,
    &ROUTINES,
    &TRIGGERS,
    &EVENTS,
    &LIBRARIES,
];

static MARIADB: &[&Catalog] = &[
    &MARIADB_DATABASE,
    &TABLES,
    &MARIADB_COLUMNS,
    &MARIADB_INDEXES,
    &MARIADB_CHECKS,
    &REFERENCES,
    &REFERENCE_COLUMNS,
    &MARIADB_VIEWS,
    &PARAMETERS,
    &ROUTINES,
    &TRIGGERS,
    &EVENTS,
];

static MYSQL_DATABASE: Catalog = Catalog {
    part: Part::Database,
    from: "information_schema.schemata",
    columns: &["default_collation_name", "default_encryption"],
    database: "schema_name",
    besides: "",
};

static MARIADB_DATABASE: Catalog =
    Catalog { columns: &["default_collation_name", "schema_comment"], ..MYSQL_DATABASE };

static TABLES: Catalog = Catalog {
    part: Part::Tables,
    from: "information_schema.tables",
    columns: &["table_name", "table_type", "engine", "table_collation", "create_options", "table_comment"],
    database: "table_schema",
    besides: "",
};

static MYSQL_COLUMNS: Catalog = Catalog {
    part: Part::Columns,
    from: "information_schema.columns",
    columns: &[
        "table_name",
        "column_name",
        "ordinal_position",
        "column_default",
        "is_nullable",
        "collation_name",
        "column_type",
        "extra",
        "column_comment",
        "generation_expression",
        "srs_id",
    ],
    database: "table_schema",
    besides: "",
};

static MARIADB_COLUMNS: Catalog = Catalog {
    columns: &[
        "table_name",
        "column_name",
        "ordinal_position",
        "column_default",
        "is_nullable",
        "collation_name",
        "column_type",
        "extra",
        "column_comment",
        "generation_expression",
    ],
    ..MYSQL_COLUMNS
};

static MYSQL_INDEXES: Catalog = Catalog {
    part: Part::Indexes,
    from: "information_schema.statistics",
    columns: &[
        "table_name",
        "index_name",
        "seq_in_index",
        "non_unique",
        "column_name",
        "collation",
        "sub_part",
        "index_type",
        "comment",
        "index_comment",
        "is_visible",
        "expression",
    ],
    database: "table_schema",
    besides: "",
};

static MARIADB_INDEXES: Catalog = Catalog {
    columns: &[
        "table_name",
        "index_name",
        "seq_in_index",
        "non_unique",
        "column_name",
        "collation",
        "sub_part",
        "index_type",
        "comment",
        "index_comment",
        "ignored",
    ],
    ..MYSQL_INDEXES
};

static MYSQL_CHECKS: Catalog = Catalog {
    part: Part::Checks,
    from: "information_schema.table_constraints AS held JOIN information_schema.check_constraints AS checked \
           ON checked.constraint_schema = held.constraint_schema AND checked.constraint_name = held.constraint_name",
    columns: &["table_name", "held.constraint_name", "check_clause", "enforced"],
    database: "held.constraint_schema",
    besides: " AND constraint_type = 'CHECK'",
};

static MARIADB_CHECKS: Catalog = Catalog {
    from: "information_schema.check_constraints",
    columns: &["table_name", "constraint_name", "check_clause", "level"],
    database: "constraint_schema",
    besides: "",
    ..MYSQL_CHECKS
};

static REFERENCES: Catalog = Catalog {
    part: Part::References,
    from: "information_schema.referential_constraints",
    columns: &["table_name", "constraint_name", "match_option", "update_rule", "delete_rule"],
    database: "constraint_schema",
    besides: "",
};

static REFERENCE_COLUMNS: Catalog = Catalog {
    part: Part::ReferenceColumns,
    from: "information_schema.key_column_usage",
    columns: &[
        "table_name",
        "constraint_name",
        "ordinal_position",
        "column_name",
        "referenced_table_schema",
        "referenced_table_name",
        "referenced_column_name",
    ],
    database: "table_schema",
    besides: " AND referenced_table_name IS NOT NULL",
};

/// On MariaDB asked for where the tables tell of any, for it takes as long as the columns of all tables. MySQL's tables do not
/// tell it of one by the key that it has.
pub(super) static PARTITIONS: Catalog = Catalog {
    part: Part::Partitions,
    from: "information_schema.partitions",
    columns: &[
        "table_name",
        "partition_name",
        "subpartition_name",
        "partition_method",
        "subpartition_method",
        "partition_expression",
        "subpartition_expression",
        "partition_description",
        "partition_comment",
        "tablespace_name",
    ],
    database: "table_schema",
    besides: " AND partition_name IS NOT NULL",
};

static MYSQL_VIEWS: Catalog = Catalog {
    part: Part::Views,
    from: "information_schema.views",
    columns: &[
        "table_name",
        "view_definition",
        "check_option",
        "definer",
        "security_type",
        "character_set_client",
        "collation_connection",
    ],
    database: "table_schema",
    besides: "",
};

static MARIADB_VIEWS: Catalog = Catalog {
    columns: &[
        "table_name",
        "view_definition",
        "check_option",
        "definer",
        "security_type",
        "character_set_client",
        "collation_connection",
        "algorithm",
    ],
    ..MYSQL_VIEWS
};

static PARAMETERS: Catalog = Catalog {
    part: Part::Parameters,
    from: "information_schema.parameters",
    columns: &[
        "routine_type",
        "specific_name",
        "ordinal_position",
        "parameter_mode",
        "parameter_name",
        "dtd_identifier",
        "collation_name",
    ],
    database: "specific_schema",
    besides: "",
};

static ROUTINES: Catalog = Catalog {
    part: Part::Routines,
    from: "information_schema.routines",
    columns: &[
        "routine_type",
        "routine_name",
        "routine_definition",
        "external_language",
        "is_deterministic",
        "sql_data_access",
        "security_type",
        "sql_mode",
        "routine_comment",
        "definer",
        "character_set_client",
        "collation_connection",
        "database_collation",
    ],
    database: "routine_schema",
    besides: "",
};

static TRIGGERS: Catalog = Catalog {
    part: Part::Triggers,
    from: "information_schema.triggers",
    columns: &[
        "event_object_table",
        "trigger_name",
        "action_timing",
        "event_manipulation",
        "action_order",
        "action_statement",
        "sql_mode",
        "definer",
        "character_set_client",
        "collation_connection",
        "database_collation",
    ],
    // It is that of the trigger, too; by that MariaDB would go through every table of every database.
    database: "event_object_schema",
    besides: "",
};

/// Those that end by themselves are left out, since they would pass for removed by hand.
static EVENTS: Catalog = Catalog {
    part: Part::Events,
    from: "information_schema.events",
    columns: &[
        "event_name",
        "event_definition",
        "time_zone",
        "execute_at",
        "interval_value",
        "interval_field",
        "starts",
        "ends",
        "status",
        "on_completion",
        "event_comment",
        "sql_mode",
        "definer",
        "character_set_client",
        "collation_connection",
        "database_collation",
    ],
    database: "event_schema",
    besides: " AND (on_completion = 'PRESERVE' OR (execute_at IS NULL AND ends IS NULL))",
};

static LIBRARIES: Catalog = Catalog {
    part: Part::Libraries,
    from: "information_schema.libraries",
    columns: &["library_name", "library_definition", "language", "library_comment"],
    database: "library_schema",
    besides: "",
};
