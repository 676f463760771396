#!/usr/bin/env bash
# Turns the documentation catalogue into .build/docs. A link to a symbol or an article that does not exist is an error.
# The symbols are read from the modules that the release build left, so nothing is compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
module=BrokerCore
graphs=.build/symbol-graphs
build=$(swift build -c release --show-bin-path)
[ -e "$build/Modules/$module.swiftmodule" ] || swift build -c release --product crema

target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["triple"])')

rm -rf "$graphs" .build/docs
mkdir -p "$graphs"
swift symbolgraph-extract -module-name "$module" -target "$target" -I "$build/Modules" \
    -minimum-access-level package -output-dir "$graphs"
docc convert "Sources/$module/Documentation.docc" --additional-symbol-graph-dir "$graphs" \
    --fallback-display-name Crema --fallback-bundle-identifier crema --warnings-as-errors --output-path .build/docs
echo "Documentation: .build/docs (docc preview, or any web server on that folder)"
