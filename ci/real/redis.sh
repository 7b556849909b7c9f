# shellcheck shell=bash
# redis on its own: no configuration, nothing saved, a socket in this directory.
redis-server --port 0 --unixsocket "$PWD/socket" --save '' --enable-debug-command yes \
  --daemonize no >log 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
redis() { redis-cli -s "$PWD/socket" "$@"; }
for _ in $(seq 1 100); do
  [[ $(redis ping 2>/dev/null) == PONG ]] && break
  sleep 0.1
done
redis-benchmark -s "$PWD/socket" -n 8000 -c 20 -P 4 -d 200 --csv -t set,get,lpush,hset |
  tr '\r' '\n' | grep -o '^"[A-Z]*"'
redis eval "for i = 1, 20000 do
  redis.call('set', 'key' .. i, string.rep('x', i % 500))
  redis.call('rpush', 'list' .. i % 50, i)
  redis.call('hset', 'hash' .. i % 90, i, i * 2)
  if i % 3 == 0 then redis.call('del', 'key' .. i - 1) end
end return redis.call('dbsize')" 0
redis debug digest
redis shutdown nosave
wait "$server"
