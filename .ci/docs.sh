#!/usr/bin/env bash
# Turns the documentation catalogues into .build/docs. A link to a symbol or an article that does not exist is an error.
# The symbols are read from the modules that the release build left, so nothing is compiled again.
set -euo pipefail
cd "$(dirname "$0")/.."
graphs=.build/symbol-graphs
build=$(swift build -c release --show-bin-path)
[ -e "$build/Modules/BrokerCore.swiftmodule" ] || swift build -c release --product crema

target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["triple"])')

rm -rf "$graphs" .build/docs
mkdir -p .build/docs
for catalogue in Sources/*/Documentation.docc; do
    module=$(basename "$(dirname "$catalogue")")
    mkdir -p "$graphs/$module"
    swift symbolgraph-extract -module-name "$module" -target "$target" -I "$build/Modules" \
        -minimum-access-level package -output-dir "$graphs/$module"
    docc convert "$catalogue" --additional-symbol-graph-dir "$graphs/$module" \
        --fallback-display-name Crema --fallback-bundle-identifier "crema.$module" --warnings-as-errors --output-path ".build/docs/$module"
done
echo "Documentation: .build/docs/* (docc preview, or any web server on one of these folders)"
