# shellcheck shell=bash
# needs: git
# A repack of a repository of 400 changed files, by two threads.
prepare() {
  export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
  git config --global user.name strata
  git config --global user.email strata@example.org
  git init --quiet --initial-branch=main repository
  cd repository || exit
  for round in $(seq 1 30); do
    for file in $(seq 1 25); do
      seq "$round" "$file" 40000 >"file$((file * round % 40))"
    done
    git add .
    git commit --quiet --message "round $round"
  done
}
run() {
  "$@" git -C repository -c pack.threads=2 -c gc.auto=0 repack -a -d -f --quiet
}
