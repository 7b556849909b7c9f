# shellcheck shell=bash
export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
git config --global user.name strata
git config --global user.email strata@example.org
git config --global pack.threads 2
git init --quiet --initial-branch=main repository
cd repository || exit
for round in $(seq 1 12); do
  for file in $(seq 1 25); do
    seq "$round" "$file" 4000 >"file$((file * round % 40))"
  done
  git add .
  git commit --quiet --message "round $round"
done
git log --stat --format='%H %s' | sha256sum
git repack -a -d -f --quiet
git gc --quiet
git fsck --full --strict
git rev-list --objects --all | sha256sum
git blame file12 | sha256sum
git clone --quiet --no-local . ../copy
git -C ../copy rev-parse HEAD
