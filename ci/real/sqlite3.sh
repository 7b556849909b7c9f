# shellcheck shell=bash
# also-under: ulimit -v 1048576
# also-under: ulimit -d 204800
sqlite3 work.db <<'SQL'
create table t(id integer primary key, name text, value real, data blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
insert into t select i, 'name ' || (i * 7919 % 60000), i * 0.5, zeroblob(i % 300) from n;
create index by_name on t(name);
delete from t where id % 5 = 0;
update t set name = name || '!' where id % 3 = 0;
select count(*), sum(value), sum(length(data)), min(name), max(name) from t;
select substr(name, 6, 2) as head, count(*), sum(length(hex(data))) from t
  where id < 20000 group by head order by head;
select count(*) from t a join t b on a.name = b.name || '!';
vacuum;
pragma integrity_check;
SQL
sha256sum work.db
