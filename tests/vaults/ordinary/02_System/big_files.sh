#!/bin/sh
# big_files.sh - the largest files of the vault
#
# usage: big_files.sh [HOW_MANY] [FOLDER]

n=${1:-5}
dir=${2:-.}

if [ ! -d "$dir" ]; then
    echo "no folder $dir" >&2
    exit 1
fi
find "$dir" -type f ! -path '*/.*' -exec wc -c {} + | grep -v ' total$' | sort -rn | head -n "$n"
