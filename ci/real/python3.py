"""Dictionaries, strings, big numbers, compression, a parser, threads, a fork: prints digests."""

import ast
import concurrent.futures
import hashlib
import json
import os
import random
import re
import zlib

random.seed(1)


def digest(thing):
    return hashlib.sha256(repr(thing).encode()).hexdigest()[:16]


def words(count, seed):
    source = random.Random(seed)
    return ["".join(source.choices("abcdefgh", k=source.randint(1, 12))) for _ in range(count)]


def tables():
    table = {word: [index] * (index % 7) for index, word in enumerate(words(60_000, 2))}
    for word in list(table)[::3]:
        del table[word]
    return digest(sorted(table.items()))


def documents():
    tree = {str(i): {"name": w, "list": list(range(i % 20))} for i, w in enumerate(words(8_000, 3))}
    return digest(json.loads(json.dumps(tree)) == tree)


def parser():
    source = "\n".join(f"def f{i}(a, b=({i}, '{w}')):\n    return a + b * {i}"
                       for i, w in enumerate(words(1_500, 4)))
    return digest(len(ast.dump(ast.parse(source))))


def buffers():
    parts = [zlib.compress(bytes([i % 251]) * (i * 37)) for i in range(600)]  # joined: 7 MB
    joined = bytearray()
    for part in parts:
        joined += zlib.decompress(part)
    return digest(hashlib.sha256(joined).hexdigest())


def in_child():
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, tables().encode())
        os._exit(0)
    os.wait()
    return os.read(read, 100).decode()


print(tables(), documents(), parser(), buffers(), digest(3 ** 40_000 % 10 ** 4_000))
print(digest(re.findall(r"(?:a|b)+c*", " ".join(words(40_000, 5)))))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print([done.result() for done in [pool.submit(job) for job in (tables, documents, buffers)]])
print(in_child())
