# shellcheck shell=bash
seq 1 400000 | awk '{ print ($1 * 7919) % 400009, $1 }' >numbers
sort --parallel=2 --buffer-size=8M numbers | sha256sum
sort --parallel=2 --numeric-sort --reverse numbers | sha256sum
sort --unique --key=1.1,1.2 numbers | sha256sum
