#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cp "$2/../../../samples/d5-mbr-gpt.hex" "$1"
