#!/bin/sh
# The nightly on a Slurm cluster: sh ci/slurm.sh [SHARDS] prints the id of the job whose exit code is the night's (docs/ci.md). Run it in a
# checkout that all nodes see, after `npm ci`, with XDG_CACHE_HOME in a folder that they share too. Options for every job (partition, time) go
# into SBATCH_ variables, see sbatch(1); CPUs of a job into BOOTRACE_KERNEL_CPUS and BOOTRACE_BOOT_CPUS; words for `matrix` into BOOTRACE_MATRIX.
set -eu

bootrace() {
  node bootrace.js "$@"
}

# sh ci/slurm.sh --report NIGHT, the last job: joins the shards, compares with the last complete night, and exits as the night.
report() {
  night=$1
  results=$(dirname "$night")
  set --
  for shard in "$night"/shard-*/latest/run.json; do
    if [ -e "$shard" ]; then set -- "$@" "$(dirname "$shard")"; fi
  done
  if [ $# -eq 0 ]; then
    echo "no shard has come to an end" >&2
    exit 3
  fi
  code=0
  bootrace merge "$@" --results "$night/merged" || code=$?
  # 0, 1 and 3 leave a run, and run.json says what is missing in it.
  case $code in 0 | 1 | 3) ;; *) exit "$code" ;; esac
  written=0
  set -- "$night/merged/latest" --reporter html --reporter junit
  # The page begins with what is new.
  if [ -e "$results/last-night/run.json" ]; then set -- "$@" --since "$results/last-night"; fi
  bootrace report "$@" || written=$?
  case $written in 0 | 1 | 3) ;; *) exit "$written" ;; esac
  # The first night has nothing to compare with: the run itself is judged.
  if [ -e "$results/last-night" ]; then
    code=0
    bootrace compare "$results/last-night" "$night/merged/latest" || code=$?
  fi
  # The next night is compared with the last complete one.
  if grep -q '"missing": null' "$night/merged/latest/run.json"; then
    ln -sfn "$(readlink -f "$night/merged/latest")" "$results/last-night"
  fi
  exit "$code"
}

if [ "${1:-}" = --report ]; then report "$2"; fi

shards=${1:-4}
kernel_cpus=${BOOTRACE_KERNEL_CPUS:-16}
boot_cpus=${BOOTRACE_BOOT_CPUS:-4}
matrix=${BOOTRACE_MATRIX:-}
mkdir -p results/slurm
# A folder for each submission: two of a day have nothing to do with each other.
night=$(mktemp -d "results/slurm/$(date -u +%Y-%m-%dT%H-%M-%SZ).XXXX")

jobs=
# A night whose later jobs are refused leaves no earlier ones behind.
trap 'code=$?; if [ $code -ne 0 ] && [ -n "$jobs" ]; then scancel $jobs; fi; exit $code' EXIT

kernels=$(sbatch --parsable --job-name=bootrace-kernels --cpus-per-task="$kernel_cpus" --output="$night/kernels.log" \
  --wrap="node bootrace.js matrix $matrix --build-only")
kernels=${kernels%%;*}
jobs=$kernels

# Without kernels the shards are cancelled, and the report says that they are missing.
boots=$(sbatch --parsable --job-name=bootrace-boots --cpus-per-task="$boot_cpus" --output="$night/boots-%a.log" \
  --dependency="afterok:$kernels" --kill-on-invalid-dep=yes --array="1-$shards" \
  --wrap="node bootrace.js matrix $matrix --shard \$SLURM_ARRAY_TASK_ID/$shards --workers $boot_cpus --results $night/shard-\$SLURM_ARRAY_TASK_ID")
boots=${boots%%;*}
jobs="$jobs $boots"

sbatch --parsable --job-name=bootrace-report --output="$night/report.log" --dependency="afterany:$boots" \
  --wrap="sh ci/slurm.sh --report $night"
