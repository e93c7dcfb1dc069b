//! Functions by what a call of them means for the statement around it.

/// What calling a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// It is no function at all: a keyword or type before a parenthesis.
    None,
    /// Its result depends on its arguments, on rows, on chance or on the wall clock.
    Harmless,
    /// PostgreSQL: its result belongs to the transaction, which a group of migrations shares.
    TransactionClock,
    /// It reads or moves a sequence.
    Sequence,
    /// It changes a setting.
    Setting,
    /// It reads or writes what only this session has, and what that is.
    Session(&'static str),
    /// It reads what this session did before.
    LastStatement(&'static str),
    /// It connects to another server, credentials in its arguments.
    Remote,
    Unknown,
}

/// Why a statement that reads it is tied to the one that made it.
pub(crate) const IDENTITY: &str = "it reads what this session inserted last";

/// The same, to no other statement.
pub(crate) const SESSION: &str = "it reads the identity of the session";

/// Words before a parenthesis that call nothing.
const KEYWORDS: &str = " all and any array as asc between by cascaded conflict case check collate columns constraint \
    default desc distinct do else end escape except exists filter foreign from full fulltext generated group \
    grouping having if ilike in include index inherits inner intersect into is isnull join key lateral left like \
    limit list match materialized natural not notnull null offset on only or order outer over partition partitions primary \
    range recursive references regexp replace_into returning right rows select set similar some spatial stored subpartition table \
    temp then timestamp to union unique using value values virtual when where window with within without xor \
    than hash identity always options operator returns column drop add modify change row duplicate \
    separator execute update delete insert of trigger sets cube rollup overlaps at zone algorithm begin \
    bigint binary bit blob bool boolean box bytea char character cidr circle clob date datetime dec decimal \
    double enum fixed float float4 float8 geometry inet int int2 int4 int8 integer interval json jsonb line longblob \
    longtext mediumint mediumblob mediumtext money name national nchar number numeric nvarchar path point \
    polygon precision real serial bigserial smallint smallserial signed unsigned text time timestamptz timetz \
    tinyint tinyblob tinytext tsvector tsquery uuid_type varbinary varbit varchar varchar2 varying vector xml year \
    zerofill btree gin gist brin spgist gin_trgm_ops text_pattern_ops varchar_pattern_ops jsonb_path_ops ";

const HARMLESS: &str = " abs array_agg array_append array_cat array_length array_position array_remove \
    array_replace array_to_string ascii avg bit_and bit_or bool_and bool_or btrim cardinality cast ceil ceiling char_length \
    character_length chr coalesce concat concat_ws conv convert convert_from convert_to count crc32 cume_dist decode \
    dense_rank digest div elt encode every exp extract field find_in_set first_value floor format from_base64 \
    gen_random_bytes gen_random_uuid generate_series generate_subscripts glob greatest group_concat hex iif ifnull initcap \
    inet_aton inet_ntoa instr json json_agg json_array json_array_length json_arrayagg json_build_array json_build_object \
    json_contains json_each json_extract json_group_array json_group_object json_insert json_object \
    json_object_agg json_objectagg json_patch json_quote json_remove json_replace json_set json_table json_tree json_type \
    json_unquote json_valid jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array \
    jsonb_build_object jsonb_each jsonb_each_text jsonb_object_agg jsonb_object_keys jsonb_set jsonb_strip_nulls jsonb_typeof \
    json_array_elements json_array_elements_text json_typeof jsonb_insert jsonb_extract_path jsonb_extract_path_text lag last_value lcase lead least left length likelihood ln locate \
    log log10 lower lpad ltrim make_date make_interval make_timestamp max md5 mid min mod ntile nullif \
    num_nonnulls num_nulls octet_length ord overlay percent_rank pi position pow power printf quote quote_ident \
    quote_literal rand random randomblob rank regexp_match regexp_matches regexp_replace regexp_split_to_array \
    regexp_split_to_table repeat replace reverse right round row_number row_to_json rpad rtrim sha1 sha2 sha224 sha256 \
    sha384 sha512 sign space split_part sqrt stddev strcmp string_agg string_to_array strpos substr substring \
    substring_index sum to_ascii to_base64 to_char to_date to_hex to_json to_jsonb to_number to_timestamp \
    to_tsquery to_tsvector translate trim trunc truncate typeof ucase unhex unicode unnest upper uuid uuid_generate_v4 \
    uuidv4 uuidv7 variance zeroblob date_trunc date_part total changes_none adddate addtime curdate curtime \
    date_add date_format date_sub datediff dayofmonth dayofweek dayofyear day hour last_day makedate maketime \
    microsecond minute month period_add period_diff quarter sec_to_time second str_to_date subdate subtime \
    time_format time_to_sec timediff timestampadd timestampdiff to_days utc_date utc_time utc_timestamp \
    unix_timestamp from_unixtime from_days week weekday weekofyear yearweek sysdate julianday strftime unixepoch timediff \
    clock_timestamp statement_timestamp timeofday isfinite justify_days bin bin_to_uuid uuid_to_bin \
    inet6_aton inet6_ntoa bit_length bit_count soundex any_value hstore pg_get_serial_sequence \
    to_regclass to_regtype format_type current_setting current_schema current_database database schema version \
    current_user session_user user pg_typeof obj_description col_description setweight ts_rank \
    plainto_tsquery websearch_to_tsquery array_to_json jsonb_pretty jsonb_path_query text2ltree \
    string_to_table regexp_count regexp_like regexp_substr nth_value percentile_cont percentile_disc stddev_samp \
    stddev_pop var_samp var_pop json_query json_value json_exists total group_concat_ws printf likely unlikely \
    sqlite_version ";

/// What calling this function means; the name is as written.
pub(super) fn call(name: &str, postgres: bool) -> Call {
    let mut lower = [0_u8; 40];
    let Some(lower) = lower.get_mut(..name.len()) else { return Call::Unknown };
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let Ok(name) = std::str::from_utf8(lower) else { return Call::Unknown };
    match name {
        "now"
        | "transaction_timestamp"
        | "current_timestamp"
        | "current_time"
        | "current_date"
        | "localtime"
        | "localtimestamp"
        | "txid_current"
        | "pg_current_xact_id"
        | "age" => {
            if postgres {
                Call::TransactionClock
            } else {
                Call::Harmless
            }
        }
        "date" | "time" | "datetime" | "timestamp" => Call::Harmless,
        "nextval" | "setval" => Call::Sequence,
        "currval" | "lastval" => {
            Call::LastStatement("currval() and lastval() read what this session did before")
        }
        "last_insert_id" | "last_insert_rowid" => Call::LastStatement(IDENTITY),
        "changes" | "total_changes" | "row_count" | "found_rows" => {
            Call::LastStatement("it reads what this session's last statement did")
        }
        "get_lock"
        | "release_lock"
        | "release_all_locks"
        | "pg_advisory_lock"
        | "pg_try_advisory_lock"
        | "pg_advisory_unlock"
        | "pg_advisory_unlock_all" => Call::Session("advisory locks belong to the session"),
        "connection_id" | "pg_backend_pid" => Call::Session(SESSION),
        "set_config" => Call::Setting,
        _ if name.starts_with("dblink") => Call::Remote,
        _ if listed(KEYWORDS, name) => Call::None,
        _ if listed(HARMLESS, name) => Call::Harmless,
        _ => Call::Unknown,
    }
}

/// Whether what stands before a parenthesis gives the same every time and to everybody whose settings are the same.
pub(super) fn is_settled(name: &str) -> bool {
    const SETTLED: &str = " abs ascii ceil ceiling char_length character_length coalesce concat concat_ws convert \
        date_add date_format date_sub elt field floor format greatest hex ifnull instr json_array json_object lcase \
        least length locate lower lpad ltrim md5 mid mod nullif quote_ident quote_literal replace round rpad rtrim sha1 \
        sha2 str_to_date substr substring substring_index trim truncate ucase unhex upper version \
        current_setting set_config ";
    let name = name.to_ascii_lowercase();
    listed(SETTLED, &name) || listed(KEYWORDS, &name)
}

/// A word without a parenthesis that reads the transaction's clock.
pub(super) fn is_transaction_clock(word: &str) -> bool {
    const CLOCKS: [&str; 5] =
        ["current_timestamp", "current_date", "current_time", "localtime", "localtimestamp"];
    CLOCKS.iter().any(|clock| word.eq_ignore_ascii_case(clock))
}

fn listed(list: &str, name: &str) -> bool {
    list.split_ascii_whitespace().any(|word| word == name)
}
