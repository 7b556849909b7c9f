# shellcheck shell=bash
# needs: redis-server redis-benchmark redis-cli
# The server is measured, from start to end; redis-benchmark drives it.
prepare() { :; }
run() {
  "$@" redis-server --port 0 --unixsocket "$PWD/socket" --save '' --daemonize no >log 2>&1 &
  server=$!
  for _ in $(seq 1 500); do
    [[ $(redis-cli -s socket ping 2>/dev/null) == PONG ]] && break
    sleep 0.01
  done
  redis-benchmark -s socket -q -n 40000 -r 20000 -c 20 -P 8 -d 120 -t set,get,lpush,lpop,hset,zadd
  redis-cli -s socket shutdown nosave
  wait "$server"
}
