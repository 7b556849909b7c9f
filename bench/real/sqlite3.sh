# shellcheck shell=bash
# needs: sqlite3
# A database in memory: inserts, an index, joins, updates, text functions.
prepare() {
  cat >work.sql <<'END'
create table item(id integer primary key, name text, value real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
  insert into item select i, 'name ' || (i * 7919 % 10007), i * 0.5 from n;
create index by_name on item(name);
select count(*), sum(a.value) from item a join item b on a.name = b.name where a.id % 50 = 0;
update item set name = upper(name) || id where id % 3 = 0;
select substr(name, 1, 8) as head, count(*), group_concat(id) from item group by head
  having count(*) > 400 limit 3;
delete from item where id % 2 = 0;
select count(*), max(name) from item;
END
}
run() {
  "$@" sqlite3 :memory: '.read work.sql'
}
