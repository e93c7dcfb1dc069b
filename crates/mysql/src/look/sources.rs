//! The tables of `information_schema` that are looked into, and what in them a definition is.
//!
//! Left out is what follows from rows or from rights: counts, sizes, cardinalities, the next
//! automatic number, privileges.

use windlass_core::driver::Product;

/// One of them, joined where that is needed.
pub(super) struct Source {
    /// Keeps rows of different sources apart.
    pub(super) tag: char,
    pub(super) from: &'static str,
    pub(super) schema: &'static str,
    /// The column that a watched name is compared with.
    pub(super) name: &'static str,
    /// What more holds of the rows that are looked for.
    pub(super) besides: &'static str,
    /// Fields of a definition, those first that tell one row from another: `keys` of them.
    pub(super) short: &'static [&'static str],
    pub(super) keys: usize,
    /// Fields of any length.
    pub(super) long: &'static [&'static str],
    /// When it was made or changed: equal definitions are not always the same object.
    pub(super) moments: &'static [&'static str],
    /// Whether a crash of the server can cut a change of it short.
    pub(super) engine: &'static str,
    pub(super) cost: Cost,
}

/// What a condition of equality makes the server open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    OneObject,
    EveryTable,
}

const NOTHING: Source = Source {
    tag: '?',
    from: "",
    schema: "table_schema",
    name: "table_name",
    besides: "",
    short: &[],
    keys: 1,
    long: &[],
    moments: &[],
    engine: "0",
    cost: Cost::OneObject,
};

/// What a server of this product tells of its objects.
pub(super) fn sources(product: Product) -> &'static [Source] {
    if product == Product::MariaDb { &MARIADB } else { &MYSQL }
}

/// That a table stands, or a view of its name, seen for the least: tables' other fields are joined from ten
/// tables of the dictionary, or read from the table's file.
pub(super) fn standing(product: Product) -> &'static Source {
    const STANDING: Source =
        Source { tag: 't', from: "information_schema.tables", short: &["table_name"], ..NOTHING };
    static MYSQL: Source = Source { from: "information_schema.tables_extensions", ..STANDING };
    static MARIADB: Source = STANDING;
    if product == Product::MariaDb { &MARIADB } else { &MYSQL }
}

/// The same, and of what engine it is, for the look after a crash.
pub(super) fn standing_now(product: Product) -> &'static Source {
    const STANDING: Source = Source { short: &["table_name"], ..TABLES };
    static MYSQL_NOW: Source = Source { engine: MYSQL[0].engine, long: &[], ..STANDING };
    static MARIADB_NOW: Source = Source { engine: MARIADB[0].engine, long: &[], ..STANDING };
    if product == Product::MariaDb { &MARIADB_NOW } else { &MYSQL_NOW }
}

const TABLES: Source = Source {
    tag: 't',
    from: "information_schema.tables",
    short: &["table_name", "table_type", "engine", "row_format", "table_collation", "create_options"],
    long: &["table_comment"],
    ..NOTHING
};

const PARTITIONS: Source = Source {
    tag: 'p',
    from: "information_schema.partitions",
    short: &[
        "table_name",
        "partition_name",
        "subpartition_name",
        "partition_ordinal_position",
        "subpartition_ordinal_position",
        "partition_method",
        "subpartition_method",
        "nodegroup",
        "tablespace_name",
    ],
    long: &["partition_expression", "subpartition_expression", "partition_description", "partition_comment"],
    ..NOTHING
};

const KEYS: Source = Source {
    tag: 'k',
    from: "information_schema.key_column_usage",
    short: &[
        "table_name",
        "constraint_name",
        "column_name",
        "ordinal_position",
        "position_in_unique_constraint",
        "referenced_table_schema",
        "referenced_table_name",
        "referenced_column_name",
    ],
    ..NOTHING
};

const REFERENCES: Source = Source {
    tag: 'f',
    from: "information_schema.referential_constraints",
    schema: "constraint_schema",
    short: &[
        "table_name",
        "constraint_name",
        "unique_constraint_schema",
        "unique_constraint_name",
        "match_option",
        "update_rule",
        "delete_rule",
        "referenced_table_name",
    ],
    ..NOTHING
};

const ROUTINES: Source = Source {
    tag: 'r',
    from: "information_schema.routines",
    schema: "routine_schema",
    name: "routine_name",
    short: &[
        "routine_name",
        "routine_type",
        "routine_body",
        "is_deterministic",
        "sql_data_access",
        "security_type",
        "sql_mode",
        "definer",
        "character_set_client",
        "collation_connection",
        "database_collation",
    ],
    keys: 2,
    long: &["dtd_identifier", "routine_definition", "routine_comment"],
    moments: &["UNIX_TIMESTAMP(created)", "UNIX_TIMESTAMP(last_altered)"],
    ..NOTHING
};

const TRIGGERS_OF_TABLE: Source = Source {
    tag: 'g',
    from: "information_schema.triggers",
    schema: "event_object_schema",
    name: "event_object_table",
    short: &[
        "trigger_name",
        "event_manipulation",
        "event_object_table",
        "action_order",
        "action_orientation",
        "action_timing",
        "sql_mode",
        "definer",
        "character_set_client",
        "collation_connection",
        "database_collation",
    ],
    long: &["action_statement"],
    moments: &["UNIX_TIMESTAMP(created)"],
    ..NOTHING
};

const TRIGGERS: Source = Source { tag: 'G', name: "trigger_name", ..TRIGGERS_OF_TABLE };

const EVENTS: Source = Source {
    tag: 'e',
    from: "information_schema.events",
    schema: "event_schema",
    name: "event_name",
    short: &[
        "event_name",
        "definer",
        "time_zone",
        "event_type",
        "execute_at",
        "interval_value",
        "interval_field",
        "sql_mode",
        "starts",
        "ends",
        "status",
        "on_completion",
        "character_set_client",
        "collation_connection",
        "database_collation",
    ],
    long: &["event_definition", "event_comment"],
    moments: &["UNIX_TIMESTAMP(created)", "UNIX_TIMESTAMP(last_altered)"],
    ..NOTHING
};

static MARIADB: [Source; 13] = [
    Source {
        // A sequence's definition is in its row, so it never looks the same twice.
        moments: &["IF(table_type = 'SEQUENCE', CAST(UUID() AS CHAR), UNIX_TIMESTAMP(create_time))"],
        engine: "IFNULL(engine NOT IN ('InnoDB', 'MyISAM', 'Aria', 'ROCKSDB'), 0)",
        ..TABLES
    },
    Source {
        tag: 'c',
        from: "information_schema.columns",
        short: &[
            "table_name",
            "column_name",
            "ordinal_position",
            "is_nullable",
            "character_set_name",
            "collation_name",
            "datetime_precision",
            "column_key",
            "extra",
            "is_generated",
        ],
        long: &["column_type", "column_default", "column_comment", "generation_expression"],
        ..NOTHING
    },
    Source {
        tag: 'i',
        from: "information_schema.statistics",
        short: &[
            "table_name",
            "index_name",
            "seq_in_index",
            "non_unique",
            "column_name",
            "collation",
            "sub_part",
            "nullable",
            "index_type",
            "comment",
            "ignored",
        ],
        long: &["index_comment"],
        ..NOTHING
    },
    KEYS,
    REFERENCES,
    Source {
        tag: 'n',
        from: "information_schema.table_constraints",
        short: &["table_name", "constraint_name", "constraint_type"],
        ..NOTHING
    },
    Source {
        tag: 'h',
        from: "information_schema.check_constraints",
        schema: "constraint_schema",
        short: &["table_name", "constraint_name", "level"],
        long: &["check_clause"],
        ..NOTHING
    },
    PARTITIONS,
    Source {
        tag: 'v',
        from: "information_schema.views",
        short: &[
            "table_name",
            "check_option",
            "definer",
            "security_type",
            "algorithm",
            "character_set_client",
            "collation_connection",
        ],
        long: &["view_definition"],
        ..NOTHING
    },
    ROUTINES,
    TRIGGERS_OF_TABLE,
    Source { cost: Cost::EveryTable, ..TRIGGERS },
    EVENTS,
];

static MYSQL: [Source; 13] = [
    Source { moments: &["UNIX_TIMESTAMP(create_time)"], engine: "IFNULL(engine <> 'InnoDB', 0)", ..TABLES },
    Source {
        tag: 'c',
        from: "information_schema.columns",
        short: &[
            "table_name",
            "column_name",
            "ordinal_position",
            "is_nullable",
            "character_set_name",
            "collation_name",
            "datetime_precision",
            "column_key",
            "extra",
            "srs_id",
        ],
        long: &["column_type", "column_default", "column_comment", "generation_expression"],
        ..NOTHING
    },
    Source {
        tag: 'i',
        from: "information_schema.statistics",
        short: &[
            "table_name",
            "index_name",
            "seq_in_index",
            "non_unique",
            "column_name",
            "collation",
            "sub_part",
            "nullable",
            "index_type",
            "comment",
            "is_visible",
        ],
        long: &["index_comment", "expression"],
        ..NOTHING
    },
    KEYS,
    REFERENCES,
    Source {
        tag: 'n',
        from: "information_schema.table_constraints AS held LEFT JOIN information_schema.check_constraints AS checked \
               ON held.constraint_type = 'CHECK' AND checked.constraint_schema = held.constraint_schema \
               AND checked.constraint_name = held.constraint_name",
        schema: "held.table_schema",
        name: "held.table_name",
        short: &["held.table_name", "held.constraint_name", "held.constraint_type", "held.enforced"],
        long: &["checked.check_clause"],
        ..NOTHING
    },
    PARTITIONS,
    Source {
        tag: 'v',
        from: "information_schema.views",
        short: &[
            "table_name",
            "check_option",
            "definer",
            "security_type",
            "character_set_client",
            "collation_connection",
        ],
        long: &["view_definition"],
        ..NOTHING
    },
    // With the kind given an index finds the name; without it every routine is read.
    Source { besides: " AND routine_type = 'PROCEDURE'", ..ROUTINES },
    Source { tag: 'R', besides: " AND routine_type = 'FUNCTION'", ..ROUTINES },
    TRIGGERS_OF_TABLE,
    TRIGGERS,
    EVENTS,
];
