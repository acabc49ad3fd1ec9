#!/usr/bin/env bash
# What `make demo` shows: a question over a scratch copy of the example vault, its answer, its program, its run note.
set -euo pipefail
cd "$(dirname "$0")/.."
nest=$PWD/.venv/bin/nest
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export NEST_CACHE_DIR=$scratch/cache NEST_STATE_DIR=$scratch/state NEST_CONFIG_DIR=$scratch/config
cp -R vault "$scratch/vault"
cd "$scratch/vault"

question='What is the sum of the garden expenses?'
printf '\n$ nest ask "%s"\n' "$question"
"$nest" ask "$question" --model builtin --now 2026-03-18T09:00:00

printf '\n$ nest runs show last\n'
"$nest" runs show last

printf '\n$ nest tools   (the scripts of 02_System, as they are)\n'
"$nest" tools
