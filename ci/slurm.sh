#!/bin/sh
# The nightly on a Slurm cluster: sh ci/slurm.sh [SHARDS]. Run it in a checkout that all nodes see, after `npm ci`, with XDG_CACHE_HOME in a
# folder that they share too; docs/ci.md. Options for every job (partition, time) go into SBATCH_ variables, see sbatch(1).
set -eu

shards=${1:-4}
night=results/slurm/$(date -u +%Y-%m-%d)
mkdir -p "$night"

kernels=$(sbatch --parsable --job-name=bootrace-kernels --cpus-per-task=16 --output="$night/kernels.log" \
  --wrap='npm run matrix -- --build-only')

boots=$(sbatch --parsable --job-name=bootrace-boots --cpus-per-task=4 --output="$night/boots-%a.log" \
  --dependency="afterok:$kernels" --array="1-$shards" \
  --wrap="npm run matrix -- --shard \$SLURM_ARRAY_TASK_ID/$shards --workers 4 --results $night/shard-\$SLURM_ARRAY_TASK_ID")

# After any end of the shards: 1 and 3 are findings, and the merge says which shard is missing.
sbatch --parsable --job-name=bootrace-report --output="$night/report.log" --dependency="afterany:$boots" --wrap="
  npm run -s bootrace -- merge $night/shard-*/latest --results results/slurm/nights
  npm run -s bootrace -- report results/slurm/nights/latest --reporter html --reporter junit
  if [ -e results/slurm/last-night ]; then
    npm run -s bootrace -- compare results/slurm/last-night results/slurm/nights/latest
  fi
  code=\$?
  ln -sfn \"\$(readlink -f results/slurm/nights/latest)\" results/slurm/last-night
  exit \$code"
