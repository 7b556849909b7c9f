# shellcheck shell=bash
# needs: /usr/bin/python3
# Every object through malloc: lists, dictionaries, strings, JSON, sorting.
prepare() {
  cat >work.py <<'END'
import collections, json, re, random
random.seed(1)
words = ["".join(random.choices("abcdefgh", k=random.randint(2, 12))) for _ in range(40_000)]
text = " ".join(random.choices(words, k=150_000))
counts = collections.Counter(re.findall(r"\w+", text))
records = [{"id": i, "name": random.choice(words), "tags": random.sample(words, 4),
            "at": {"x": i * 0.5, "y": [i, i + 1]}} for i in range(25_000)]
for _ in range(2):
    records = json.loads(json.dumps(records))
records.sort(key=lambda record: (record["name"], record["id"]))
tree = None
for key in random.sample(range(60_000), 60_000):
    tree = (tree, key, [key])
    if key % 1000 == 0:
        tree = None
print(len(counts), len(records))
END
}
run() {
  PYTHONMALLOC=malloc "$@" /usr/bin/python3 work.py
}
