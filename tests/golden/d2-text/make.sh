#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cp "$2/../../../samples/d2-lvm317.hex" "$1"
