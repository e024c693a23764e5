#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cp "$2/../../../samples/d4-lvm521-older.hex" "$1"
