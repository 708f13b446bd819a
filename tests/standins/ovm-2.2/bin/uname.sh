#!/bin/sh
# Only `uname -n` is asked.
echo "$STANDIN_HOST"
