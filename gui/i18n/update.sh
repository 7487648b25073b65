#!/bin/sh
# Brings the translation file up to date with the sources. New texts appear in it as unfinished: translate them (Linguist).
set -e
cd "$(dirname "$0")/.."
"${LUPDATE:-/usr/lib/qt6/bin/lupdate}" -silent -locations none -no-obsolete -I .. -recursive . -ts "${1:-i18n/hearth_zh_CN.ts}"
