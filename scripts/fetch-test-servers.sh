#!/usr/bin/env bash
# Fetches newer servers for the tests to run against, beside the system's own:
# .cache/servers/redis-8/redis-server and .cache/servers/valkey-9/redis-server.
# They are Debian packages of later releases, unpacked together with the
# libraries they were built for, and started through those libraries' own
# loader. Nothing is installed and root is not needed. Does its best: a server
# that cannot be had is named in one line, and the exit code is 0.
set -uo pipefail
cd "$(dirname "$0")/.."
servers=$PWD/.cache/servers
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

without() { echo "setup: tests will do without $1: $2" >&2; }

wanted=()
for name in redis-8 valkey-9; do [[ -x $servers/$name/redis-server ]] || wanted+=("$name"); done
((${#wanted[@]})) || exit 0
# The archive that this machine uses already has the later releases too.
archive=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+).*/\2/p' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
if [[ $(uname -sm) != 'Linux x86_64' || -z $archive || ! -r $keyring ]]; then
  without "${wanted[*]}" 'they come as Debian packages, on Debian for x86-64 only'
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/sources" "$work/lists/partial" "$work/archives/partial" "$servers"

# An apt that knows nothing of this machine's, and leaves it as it is.
cat >"$work/sources/later.sources" <<SOURCES
Types: deb
URIs: $archive
Suites: sid experimental
Components: main
Architectures: amd64
Signed-By: $keyring
SOURCES
apt_options=(
  -qq
  -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/sources" -o Dir::State::status=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
  -o APT::Architecture=amd64 -o APT::Sandbox::User= -o Acquire::Retries=1 -o Acquire::http::Timeout=30
)

# Names of the libraries that a package needs, and that those need in turn.
libraries_of() {
  local known=$1 all
  while :; do
    # shellcheck disable=SC2086
    all=$(apt-cache "${apt_options[@]}" depends --important $known | sed -nE 's/^[ |]*Depends: ((lib|zlib)[^ ]+)$/\1/p')
    all=$(printf '%s\n' $known $all | sort -u)
    [[ $all == "$known" ]] && break
    known=$all
  done
  printf '%s\n' "$known" | grep -vx "$1"
}

# fetch NAME VERSION PACKAGE PROGRAM SUITE: the server is one program with several names, and answers to the one it is
# started under.
fetch() {
  local name=$1 version=$2 package=$3 program=$4 suite=$5
  local home=$work/$name
  mkdir -p "$home/packages"
  (cd "$home/packages" && apt-get "${apt_options[@]}" download "$package/$suite" $(libraries_of "$package")) || return
  for file in "$home"/packages/*.deb; do dpkg-deb -x "$file" "$home" || return; done
  rm -rf "$home/packages" "$home/usr/share"
  cat >"$home/redis-server" <<WRAPPER
#!/bin/sh
here=\$(cd "\$(dirname "\$0")" && pwd)
exec "\$here/usr/lib64/ld-linux-x86-64.so.2" --argv0 $program-server \\
  --library-path "\$here/usr/lib/x86_64-linux-gnu" "\$here/usr/bin/$program-check-rdb" "\$@"
WRAPPER
  chmod +x "$home/redis-server"
  [[ $("$home/redis-server" --version) == *" v=$version."* ]] || return
  rm -rf "${servers:?}/$name" && mv "$home" "$servers/$name"
}

echo "setup: fetching ${wanted[*]} for the tests" >&2
if ! apt-get "${apt_options[@]}" -o APT::Update::Error-Mode=any update >/dev/null 2>&1; then
  without "${wanted[*]}" 'the package archive cannot be reached'
  exit 0
fi
for name in "${wanted[@]}"; do
  case $name in
    redis-8) fetch "$name" 8 redis-tools redis experimental || fetch "$name" 8 redis-tools redis sid ;;
    valkey-9) fetch "$name" 9 valkey-tools valkey sid ;;
  esac >/dev/null 2>"$work/$name.log" || without "$name" "$(tail -n 1 "$work/$name.log" | grep . || echo 'it did not start')"
done
exit 0
