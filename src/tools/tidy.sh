#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over one file: tidy.sh FLAG... FILE. error.c and memory.c define the functions that tidy.h explains.
file=${!#}
set -- "${@:1:$#-1}"
[ "$file" = src/base/error.c ] || [ "$file" = src/base/memory.c ] || set -- -include src/tools/tidy.h "$@"
[[ $file != tests/unit/* ]] || set -- -DVK_TIDY_TEST "$@"
exec clang-tidy --quiet "$file" -- "$@" 2>/dev/null
