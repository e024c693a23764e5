#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One fuzz program over its corpus, as a test case: replay.sh PROGRAM FOLDER
name=$(basename "$1")
if told=$("$1" "$2"); then
	echo "ok - corpus of $name: $told"
else
	echo "not ok - corpus of $name, exit code $?; the input is the last one named below"
	exit 1
fi
