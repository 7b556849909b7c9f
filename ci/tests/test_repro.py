"""ci/repro: its exit codes, what it builds, and that it knows whatever failures print.

It runs in a directory of its own, where cmake, ctest and ninja are the test's.
"""

import json
import pathlib
import re
import shutil
import subprocess
import unittest

from common import ROOT, directory_for, load, write_program

# A target is built by copying its program from `sources`; GoogleTest's tells ctest its tests then.
CMAKE = """
echo "cmake $*" >>calls
[[ ! -e broken ]] || { echo "error: no semicolon"; exit 1; }
if [[ $1 == --preset ]]; then
  /bin/mkdir -p build/$2/bin
elif [[ $1 == --build ]]; then
  for target in "${@:4}"; do
    [[ -e sources/${target#bin/} ]] || { echo "ninja: error: unknown target '$target'"; exit 1; }
    /bin/cp "sources/${target#bin/}" "$2/bin/"
    [[ ! -e tests.$target ]] || /bin/cp "tests.$target" tests
  done
fi"""
CTEST = """
if [[ $* == *show-only* ]]; then
  comma=
  echo '{"tests": ['
  while read -r name; do echo "$comma{\\"name\\": \\"$name\\"}"; comma=,; done <tests
  echo ']}'
else
  echo "ctest $*" >>calls
  exit "$(<status)"
fi"""
NINJA = '[[ $5 == bin/* || $5 == *.so ]]'
GTEST = '[[ $1 != --gtest_list_tests ]] || { [[ $2 != *Suite.Case ]] || echo "  Case"; exit; }\n'


class Repro(unittest.TestCase):
    def setUp(self):
        self.root = directory_for(self)
        for name in ("bin", "sources", "ci"):
            (self.root / name).mkdir()
        shutil.copy(ROOT / "ci" / "repro", self.root / "ci")
        shutil.copy(ROOT / "CMakePresets.json", self.root)
        for name, text in (("cmake", CMAKE), ("ctest", CTEST), ("ninja", NINJA)):
            write_program(self.root / "bin", name, text)
        self.have_tests("fuzz_this", "heap_model", "disassembly")

    def have_tests(self, *names, where="tests"):
        (self.root / where).write_text("".join(f"{name}\n" for name in names))

    def have_program(self, name, text):
        write_program(self.root / "sources", name, f'echo "ran {name} $*"\n{text}')

    def have_file(self, name):
        path = self.root / name
        path.write_text("input")
        return str(path)

    def repro(self, thing, path=None):
        done = subprocess.run([self.root / "ci" / "repro", thing], text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              env={"PATH": path or f"{self.root}/bin:/usr/bin:/bin"})
        self.assertNotIn("Traceback", done.stdout)
        return done

    def built(self):
        """Targets, one list a call."""
        calls = (self.root / "calls").read_text() if (self.root / "calls").exists() else ""
        return [call.split()[3:] for call in calls.splitlines() if "--build" in call]

    def expect(self, code, thing, *said):
        done = self.repro(thing)
        self.assertEqual(done.returncode, code, done.stdout)
        for text in said:
            self.assertIn(text, done.stdout)

    # --- What comes of it ---

    def test_what_passes_is_0_and_what_fails_in_any_way_is_1(self):
        file = self.have_file("crash")
        for end, code in (("exit 0", 0), ("exit 1", 1), ("exit 77", 1), ("kill -ABRT $$", 1)):
            self.have_program("fuzz_this", end)
            self.expect(code, f"fuzz:fuzz_this:{file}", f"ran fuzz_this {file}")
        self.assertEqual(self.built(), [["--target", "fuzz_this"]] * 4)

    def test_a_program_that_says_its_argument_is_wrong_did_not_replay(self):
        self.have_program("strata-ops", 'echo "--plan: tiny, pow2"; exit 2')
        self.expect(2, f"trace:odd:{self.have_file('ops')}", "--plan: tiny, pow2")

    def test_a_file_may_have_colons_in_its_name(self):
        file = self.have_file("id:000001,sig:06")
        self.have_program("fuzz_this", "exit 1")
        self.expect(1, f"fuzz:fuzz_this:{file}", f"ran fuzz_this {file}")

    def test_each_kind_builds_one_program_and_hands_on_what_was_printed(self):
        for name in ("heap_model", "strata_interleave", "state_search"):
            self.have_program(name, GTEST + 'echo "with $RC_PARAMS$STRATA_REPLAY"')
        self.expect(0, "props:heap_model:Suite.Case:reproduce=BcXM seed=7",
                    "--gtest_filter=Suite.Case", "with reproduce=BcXM seed=7")
        self.expect(0, "schedule:Suite.Case:3.1,9.2", "--replay=Suite.Case:3.1,9.2")
        self.expect(0, "schedule:Suite.Case:-", "--replay=Suite.Case:-")
        self.expect(0, "states:Suite.Case:0100ff", "with 0100ff")
        self.assertEqual(self.built(), [["--target", name] for name in (
            "heap_model", "strata_interleave", "strata_interleave", "state_search")])

    # --- Tests of ctest ---

    def test_a_test_preset_is_built_as_the_preset_that_it_is_of(self):
        self.have_tests("StateSearch.Two")
        directory = self.root / "build" / "exhaustive"
        directory.mkdir(parents=True)
        (directory / "state_search[1]_tests.cmake").write_text(
            f"add_test([=[StateSearch.Two]=]  {directory}/bin/state_search [==[--filter]==])\n"
            f"add_test([=[StateSearch.TwoMore]=]  {directory}/bin/another [==[--filter]==])\n")
        self.have_program("state_search", "")
        for status, code in ((0, 0), (8, 1)):
            (self.root / "status").write_text(str(status))
            self.expect(code, "test:exhaustive-quick:StateSearch.Two")
        calls = (self.root / "calls").read_text()
        self.assertIn("cmake --preset exhaustive\n", calls)
        self.assertIn(r"ctest --preset exhaustive-quick --verbose -R ^StateSearch\.Two$", calls)
        self.assertEqual(self.built(), [["--target", "bin/state_search"]] * 2)

    def test_what_a_test_requires_is_built_too(self):
        directory = self.root / "build" / "release"
        directory.mkdir(parents=True)
        (directory / "CTestTestfile.cmake").write_text(
            f'add_test([=[disassembly]=] "/x/ci/disassembly" "--json" "{directory}/some.json")\n'
            f'set_tests_properties([=[disassembly]=] PROPERTIES  REQUIRED_FILES "{directory}/a.so;'
            f'{directory}/ci/b.so" TIMEOUT "9")\n')
        (self.root / "sources" / "ci").mkdir()
        for library in ("a.so", "ci/b.so"):
            self.have_program(library, "")
        (self.root / "status").write_text("0")
        self.expect(0, "test:release:disassembly")
        self.assertEqual(self.built(), [["--target", "a.so", "ci/b.so"]])

    def test_a_program_that_is_not_built_yet_is_asked_for_its_tests(self):
        self.have_tests("other_NOT_BUILT", "wanted_NOT_BUILT", "last_NOT_BUILT")
        self.have_tests("Suite.Case", "other_NOT_BUILT", "last_NOT_BUILT", where="tests.wanted")
        for name in ("last", "other", "wanted"):
            self.have_program(name, "")
        source = self.root / "props" / "unit" / "wanted.cpp"
        source.parent.mkdir(parents=True)
        source.write_text("TEST(Suite, Case) {}")
        (self.root / "status").write_text("0")
        self.expect(0, "test:dev:Suite.Case")
        self.assertEqual(self.built()[0], ["--target", "wanted"])
        self.assertFalse((self.root / "build" / "dev" / "bin" / "other").exists())

    # --- What cannot be replayed: 2, and what to do ---

    def test_no_argument_lists_the_things(self):
        self.expect(2, "", "ci/repro fuzz:TARGET:FILE")
        self.expect(0, "--help", "ci/repro fuzz:TARGET:FILE")

    def test_a_wrong_argument_is_named_before_anything_is_built(self):
        for thing, said in (("fuss:a:b", "no kind 'fuss' in ci/repro; it has: fuzz"),
                            ("fuzz:fuzz_this", "is not fuzz:TARGET:FILE"),
                            ("props:heap_model:A.B", "is not props:TEST:CASE:STRING"),
                            ("fuzz:fuzz_this:/no/such", "no file /no/such"),
                            (f"fuzz:fuzz_this:{self.root}", "name one in it"),
                            ("test:exhaustiv:A.B", "it has: exhaustive"),
                            ("test:base:A.B", "no preset 'base'"),
                            ("states:Suite.Case:01g", "copy the whole line"),
                            ("schedule:Suite.Case:3.1,", "copy the whole line"),
                            ("props:heap_model:Suite.Case:???", "copy the whole line")):
            self.expect(2, thing, said)
        self.assertEqual(self.built(), [])

    def test_a_name_that_is_not_there_is_named_with_those_that_are(self):
        self.have_program("heap_model", GTEST)
        (self.root / "status").write_text("0")
        self.expect(2, "test:dev:disassemblies", "it has: disassembly")
        self.expect(2, f"fuzz:fuzz_that:{self.have_file('crash')}", "it has: fuzz_this")
        self.assertEqual(self.built(), [])
        self.expect(2, "props:heap_model:Suite.Other:BcXM", "has no case Suite.Other")

    def test_a_missing_tool_is_named_with_what_installs_it(self):
        for tool in ("ctest", "cmake"):
            (self.root / "bin" / tool).unlink()
            done = self.repro("test:dev:disassembly", path=f"{self.root}/bin")
            self.assertEqual(done.returncode, 2, done.stdout)
            self.assertIn(f"{tool} is missing: ci/bootstrap installs it", done.stdout)

    def test_what_cannot_be_built_is_not_a_failure_of_what_is_replayed(self):
        (self.root / "broken").touch()
        self.expect(2, "test:dev:disassembly", "error: no semicolon", "cmake --preset dev failed")


class WhatFailuresPrint(unittest.TestCase):
    def test_every_kind_and_preset_that_is_printed_is_known(self):
        repro = load("ci/repro")
        files = [path for room in ("core", "props", "fuzz", "ci", "bench")
                 for path in (ROOT / room).rglob("*") if path.is_file() and "tests" not in path.parts]
        printed = [found for path in files if path != ROOT / "ci" / "repro"
                   for found in re.findall(r"ci/repro ([a-z]+):([a-z-]*)",
                                           path.read_text(errors="replace"))]
        self.assertLessEqual({"fuzz", "props", "schedule", "states", "test"}, dict(printed).keys())
        presets = json.loads((ROOT / "CMakePresets.json").read_text())["testPresets"]
        for kind, preset in printed:
            self.assertIn(kind, repro.KINDS)
            if kind == "test" and preset:
                self.assertIn(preset, [each["name"] for each in presets])


if __name__ == "__main__":
    unittest.main()
