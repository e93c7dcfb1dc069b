CREATE TABLE saved_filters (
    id      bigserial PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users (id),
    name    text NOT NULL,
    query   text NOT NULL,
    CONSTRAINT saved_filters_name UNIQUE (user_id, name) DEFERRABLE INITIALLY IMMEDIATE
);
INSERT INTO saved_filters (user_id, name, query)
VALUES (1, 'Mine; urgent', 'assignee:me priority:1 -state:done'),
       (2, 'Templates', 'title:"${project} kick-off"'),
       (3, U&'\00DCbersicht', $q$label:"it's $1 or $2"$q$);
