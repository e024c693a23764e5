#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cp "$2/../../../samples/d1-lvm316-vmfs331.hex" "$1"
