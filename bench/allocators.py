"""The allocators that are measured beside strata, and what to do before a timed run."""

import glob
import mmap
import os
import pathlib
import subprocess

WARM_UP_BYTES = 256 << 20  # touched before each run: a host takes idle memory back

# glibc's is preloaded too: it goes before an allocator that a program brings along, as redis does.
PEERS = {
    "mimalloc": ["/usr/lib/*-linux-gnu/libmimalloc.so.2"],
    "jemalloc": ["/usr/lib/*-linux-gnu/libjemalloc.so.2"],
    "tcmalloc": ["/usr/lib/*-linux-gnu/libtcmalloc_minimal.so.4"],
    "tbbmalloc": ["/usr/lib/*-linux-gnu/libtbbmalloc_proxy.so.2"],
    "scudo": ["/usr/lib/llvm-19/lib/clang/19/lib/*/libclang_rt.scudo_standalone-*64.so",
              "/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.scudo_standalone.so"],
    "glibc": ["/usr/lib/*-linux-gnu/libc.so.6", "/lib/*-linux-gnu/libc.so.6"],
}


class Missing(Exception):
    pass


def find_allocators(library, added=()):
    """{name: file to preload} in the order of tables, and the names of those that are absent."""
    found, absent = {"strata": str(library)}, []
    for name, patterns in PEERS.items():
        paths = [path for pattern in patterns for path in glob.glob(pattern)]
        if paths:
            found[name] = paths[0]
        else:
            absent.append(name)
    for addition in added:
        name, _, path = addition.partition("=")
        found[name] = str(pathlib.Path(path).resolve())
    return found, absent


def check_loads(name, library):
    """The dynamic linker only warns about a library that it cannot preload."""
    seen = subprocess.run(["/bin/cat", "/proc/self/maps"], capture_output=True, text=True,
                          env={"LD_PRELOAD": library}, check=False).stdout
    if os.path.realpath(library) not in seen:
        raise Missing(f"{name}: {library} cannot be preloaded")


def warm_up():
    with mmap.mmap(-1, WARM_UP_BYTES) as memory:
        for at in range(0, WARM_UP_BYTES, mmap.PAGESIZE):
            memory[at] = 1
