create table teams (
  id bigserial primary key,
  slug text not null unique,
  name text not null,
  created_at timestamp not null default now()
);

create table memberships (
  team_id bigint not null references teams on delete cascade,
  user_id bigint not null references users on delete cascade,
  role text not null default 'member',
  primary key (team_id, user_id)
);
