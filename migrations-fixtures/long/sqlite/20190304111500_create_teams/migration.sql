create table teams (
  id integer primary key autoincrement,
  slug text not null unique,
  name text not null,
  created_at text not null default (datetime('now'))
);

create table memberships (
  team_id integer not null references teams(id) on delete cascade,
  user_id integer not null references users(id) on delete cascade,
  role text not null default 'member',
  primary key (team_id, user_id)
);
