#!/usr/bin/env bash
# Guess: what the types of flowise-sdk export by name can be imported by name, as its own README does.
# Seen with flowise-sdk 1.0.9 and typescript 6.0.3 on Node 20: it is CommonJS whose names Node does not find. In an ES module the named import type-checks and
#   then throws a SyntaxError before the first line runs; the default import, taken apart, works.
# Why it matters: a snippet that was only type-checked does not run.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
npm install --silent --no-audit --no-fund --prefix "$dir" flowise-sdk@1.0.9 typescript@6.0.3

echo 'import { FlowiseClient } from "flowise-sdk"; console.log(typeof FlowiseClient);' > named.mts
echo 'import sdk from "flowise-sdk"; const { FlowiseClient } = sdk; console.log(typeof FlowiseClient);' > whole.mjs
cp named.mts named.mjs
node_modules/.bin/tsc --noEmit --module nodenext --target es2022 --lib es2022,dom named.mts && echo "types: named import is fine" > seen
node named.mjs 2>&1 | grep -oE "^SyntaxError: Named export 'FlowiseClient' not found" >> seen || true
node whole.mjs >> seen
cat > expected <<'TXT'
types: named import is fine
SyntaxError: Named export 'FlowiseClient' not found
function
TXT
cat seen
diff expected seen && echo "as described"
