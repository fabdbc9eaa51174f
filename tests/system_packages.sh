#!/bin/sh
# Real programs that the slow tests talk to.  Installs what is missing, on Debian and its kin and as root only; anywhere
# else it says what is missing and the tests that need it are skipped.  Running it twice is running it once.
set -eu

missing=""
[ -x /usr/bin/searx-run ] || missing="$missing searx" # a metasearch engine that speaks SearXNG's JSON
command -v chromium >/dev/null 2>&1 || missing="$missing chromium" # the app is looked at in a real browser

[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "Not installed, their tests are skipped:$missing (Debian: apt-get install$missing)" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # one word a package
apt-get install --yes --no-install-recommends $missing >/dev/null 2>&1 ||
	{ apt-get update >/dev/null && apt-get install --yes --no-install-recommends $missing >/dev/null; } ||
	echo "Could not install$missing: their tests are skipped" >&2
