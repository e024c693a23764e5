#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cp "$2/../../../samples/d3-lvm521.hex" "$1"
