# shellcheck shell=bash
# needs: z3
# Ten pigeons don't fit into nine holes; and a scheduling puzzle.
prepare() {
  {
    for i in $(seq 1 10); do
      for j in $(seq 1 9); do echo "(declare-const p${i}_$j Bool)"; done
      echo "(assert (or $(printf "p${i}_%d " 1 2 3 4 5 6 7 8 9)))"
    done
    for j in $(seq 1 9); do
      for i in $(seq 1 10); do
        for k in $(seq $((i + 1)) 10); do echo "(assert (not (and p${i}_$j p${k}_$j)))"; done
      done
    done
    echo '(check-sat)(reset)'
    for i in $(seq 1 13); do echo "(declare-const t$i Int)(assert (and (>= t$i 0) (<= t$i 60)))"; done
    for i in $(seq 1 13); do
      for j in $(seq $((i + 1)) 13); do
        echo "(assert (or (>= t$j (+ t$i $((i % 5 + 2)))) (>= t$i (+ t$j $((j % 5 + 2))))))"
      done
    done
    echo '(check-sat)'
  } >work.smt2
}
run() {
  "$@" z3 work.smt2
}
