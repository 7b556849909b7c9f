# shellcheck shell=bash
seq 1 1200000 >numbers
xz --threads=2 --block-size=1MiB -3 --keep numbers
sha256sum numbers.xz
xz --decompress --threads=2 --stdout numbers.xz | sha256sum
