#!/usr/bin/env bash
# The report is tested in a real browser. Use the one that is there; else take Debian's.
set -euo pipefail
for name in "${LIVECUT_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
  if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo -n"
  echo "installing chromium for the report's tests"
  $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
echo "The tests need Chromium or Chrome. Install one, or name it in LIVECUT_CHROMIUM." >&2
exit 1
