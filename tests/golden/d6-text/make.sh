#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
cp "$2/../../../samples/d6-heartbeats.hex" "$1"
