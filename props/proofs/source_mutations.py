#!/usr/bin/env python3
"""Whether the proofs break when the production source changes.

Plants each change below in a copy of core, compiles the subjects from the copy and has the room prove
the obligations that are named: they must not all hold. One change, which changes nothing, must keep them.

    source_mutations.py PROVE WORK_DIRECTORY COMPILER [FLAG...]
"""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# file, text, what it becomes, subject, room, obligations (by part of their names), must they break?
CHANGES = (
    ("binmap/binmap.hpp", "return (before & bit) == 0;\n  }\n\n  // Many", "return true;\n  }\n\n  // Many",
     "binmap", "binmap", "put, 4096", True),
    ("binmap/binmap.hpp", "(full_word << (index & bit_mask));\n      if (rest != 0) {\n        return index_of",
     "(full_word << 1 << (index & bit_mask));\n      if (rest != 0) {\n        return index_of",
     "binmap", "binmap", "first_from, 4096", True),
    ("binmap/ordered_list.hpp", "next_(index) = link;", "next_(index) = none;",
     "binmap", "binmap", "list insert, links of 16", True),
    ("plan/classes.hpp", "((std::uint64_t{1} << 32) + size - 1) / size", "(std::uint64_t{1} << 32) / size",
     "quarter", "quarter", "an item's index is a division", True),
    ("plan/plan.hpp", "cls - first_small + first_block : cls", "cls - first_small + first_block + 1 : cls",
     "pow2", "pow2", "small blocks share a bin", True),
    ("book/books.hpp", "return Map(s.partial_summary, s.partial_words", "return Map(s.partial_summary, s.free_words",
     "pow2", "pow2", "sets of chunks are apart", True),
    ("heap/chunks.hpp", "    --region.free_units;\n", "", "heap", "chunks", "a chunk is held", True),
    ("heap/chunks.hpp", "return bin_.empty_regions > 1 ?", "return bin_.empty_regions > 2 ?",
     "heap", "chunks", "closes with 1 ", True),
    ("heap/chunks.hpp", "c < region.dirty ? all_pages", "c + 1 < region.dirty ? all_pages",
     "heap", "chunks", "opens with 16", True),
    ("heap/items.hpp", "if (chunk.free_items == 0) {\n      make_partial", "if (chunk.free_items == 1) {\n      make_partial",
     "heap", "items", "put, its region stays, items of 32768", True),
    ("heap/items.hpp", "place.chunk >= books_", "place.chunk > books_",
     "heap", "items", "classified, items of 32768", True),
    ("heap/items.hpp", "if (chunk.free_items == capacity()) {\n      --bin_.empty_chunks;\n    }\n    chunk.free_items = static_cast<std::uint16_t>(chunk.free_items - count)",
     "if (chunk.free_items != capacity()) {\n      --bin_.empty_chunks;\n    }\n    chunk.free_items = static_cast<std::uint16_t>(chunk.free_items - count)",
     "heap", "moves", "an item is taken, items of 32768", True),
    ("heap/blocks.hpp", "if (region.free_units == 0) {\n      books_.bin_list(cls_).remove",
     "if (region.free_units == 1) {\n      books_.bin_list(cls_).remove",
     "heap", "blocks", "a block is taken, blocks of 8192", True),
    ("heap/segments.hpp", "    ++books_.segment_used(segment);\n", "", "heap", "segments", "a given slot", True),
    ("heap/segments.hpp", "++books_.unused().free_slots;", "books_.unused().free_slots += 1;",
     "heap", "segments", "a slot is put back", False),
)


def plant(core, file, text, becomes):
    path = core / file
    source = path.read_text()
    if source.count(text) != 1:
        sys.exit(f"{file} holds {source.count(text)} times what is to change, not once: {text!r}")
    path.write_text(source.replace(text, becomes))


def holds(prove, work, compile_, subject, room, only):
    out = work / f"{subject}.o"
    source = ROOT / "props/proofs/subject" / f"{subject}.cpp"
    subprocess.run([*compile_, f"-I{work / 'core'}", "-c", source, "-o", out], check=True)
    done = subprocess.run([prove, room, out, "--only", only], capture_output=True, text=True,
                          check=False)
    refuted = "broken: " in done.stdout and "undecided" not in done.stdout
    if not refuted and done.returncode != 0:  # neither a proof nor a counter-example
        sys.exit(done.stdout + done.stderr)
    return not refuted


def main():
    prove, work, *compile_ = sys.argv[1:]
    work = pathlib.Path(work)
    wrong = 0
    for file, text, becomes, subject, room, only, breaks in CHANGES:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(ROOT / "core", work / "core")
        plant(work / "core", file, text, becomes)
        held = holds(prove, work, compile_, subject, room, only)
        wrong += held == breaks
        verdict = "still proved" if held else "no longer proved"
        print(f"{'WRONG' if held == breaks else 'right'}  {room}: {only!r} {verdict} with "
              f"{becomes.strip()!r} in core/{file}", flush=True)
    print(f"{len(CHANGES)} changes of the source, {wrong} taken for something else")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
