#!/bin/bash
# NDJSON from standard input into a stream with what is on every machine: jq writes the protocol, redis-cli sends it.
#   produce-jq.sh PORT STREAM
set -o pipefail
jq -j --arg stream "$2" '
  ["XADD", $stream, "*"] + [to_entries[] | .key, (.value | if type == "string" then . else tojson end)]
  | "*\(length)\r\n" + (map("$\(utf8bytelength)\r\n\(.)\r\n") | add)
' | redis-cli -h 127.0.0.1 -p "$1" --pipe
