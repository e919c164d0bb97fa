#!/usr/bin/env bash
# The runs behind docs/results.md: three recipes x three seeds on real matches, two at a time, one thread each,
# with the optimiser and batches of that time.
#   benchmarks/feed_runs.sh ../shared/data/wyscout_baa runs
# Killed and started again it goes on where it was.
set -euo pipefail
data=$1 runs=$2
cd "$(dirname "$0")/.."
mkdir -p "$runs"
for recipe in feed feed-static feed-dense; do
  for seed in 0 1 2; do echo "$recipe" "$seed"; done
done | OMP_NUM_THREADS=1 xargs -P 2 -L 1 bash -c '
  .venv/bin/playahead train feed --data "$0" --recipe "$2" --seed "$3" --out "$1/$2-$3" \
    --optim.kind adamw --optim.lr 6e-4 --passages 4 --observations 16 > "$1/$2-$3.out" 2>&1
' "$data" "$runs"
