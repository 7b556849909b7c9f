#!/bin/bash -eu
# Builds every fuzz target for OSS-Fuzz or ClusterFuzzLite, which set CC, CXX, CFLAGS, CXXFLAGS (with
# the sanitizer and the coverage in them), LIB_FUZZING_ENGINE, SRC, OUT and WORK. By hand:
# ci/oss-fuzz/try.
cd "$(dirname "${BASH_SOURCE[0]}")"
root=${STRATA_ROOT:-$SRC/strata}
build=$WORK/strata

cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_CXX_FLAGS="$CXXFLAGS" \
  -DCMAKE_EXE_LINKER_FLAGS="$CXXFLAGS" -DSTRATA_BUILD_FUZZ=ON
cmake --build "$build" -j "$(nproc)"

targets=("$root"/fuzz/fuzz_*.cpp)
[[ -e ${targets[0]} ]] || { echo "build.sh: no targets in $root/fuzz" >&2; exit 1; }
for source in "${targets[@]}"; do
  target=$(basename "$source" .cpp)
  cp "$build/bin/$target" "$OUT/"
  dictionary=$root/fuzz/dictionaries/$target.dict
  [[ -e $dictionary ]] || dictionary=$root/fuzz/dictionaries/operations.dict
  cp "$dictionary" "$OUT/$target.dict"
  cp "$root/ci/oss-fuzz/target.options" "$OUT/$target.options"
  (cd "$root/corpus/$target" && find . -type f | sort | zip -q -j "$OUT/${target}_seed_corpus.zip" -@)
done
