-- What an installation of the guide has. Times are milliseconds; an expired_at of 0 means never, a status of 1 means deleted.
create table if not exists api_key (
  id bigint unsigned not null auto_increment,
  api_key varchar(255) not null default '' comment 'MD5 of the secret, in hex',
  name varchar(255) not null default '',
  status tinyint not null default 0,
  user_id bigint not null default 0,
  expired_at bigint not null default 0,
  created_at bigint unsigned not null default 0,
  updated_at bigint unsigned not null default 0,
  last_used_at bigint not null default 0,
  ak_type tinyint not null default 0,
  primary key (id),
  unique key uniq_key (api_key),
  key idx_user_id (user_id),
  key idx_expired_status (expired_at, status)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_unicode_ci;
