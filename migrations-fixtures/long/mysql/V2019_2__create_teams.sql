create table teams (
  id bigint unsigned not null auto_increment primary key,
  slug varchar(60) not null unique,
  name varchar(200) not null,
  created_at datetime not null default current_timestamp
) engine=InnoDB default charset=utf8mb4;

create table memberships (
  team_id bigint unsigned not null,
  user_id bigint unsigned not null,
  role varchar(20) not null default 'member',
  primary key (team_id, user_id),
  constraint memberships_team foreign key (team_id) references teams (id) on delete cascade,
  constraint memberships_user foreign key (user_id) references users (id) on delete cascade
) engine=InnoDB default charset=utf8mb4;
