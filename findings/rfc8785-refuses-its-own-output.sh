#!/usr/bin/env bash
# Guess: canonical JSON (RFC 8785) may be read back and made canonical again, and gives the same bytes in every library.
# Seen with rfc8785 0.1.4 (PyPI) and canonicalize 4.0.0 (npm): the float 1e20 becomes the digits 100000000000000000000. Python's json reads
#   those as an int, and rfc8785 refuses ints beyond 2^53 - 1, so it refuses what it wrote. canonicalize accepts the same text.
# Why it matters: a checker that parses an audit export and hashes it again in Python must read such numbers as floats, or never meet them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv py && py/bin/pip -q --disable-pip-version-check install rfc8785==0.1.4
npm install --silent --no-audit --no-fund --prefix "$dir" canonicalize@4.0.0

cat > again.py <<'PY'
import json, rfc8785
written = rfc8785.dumps({"n": 1e20})
print("python writes", written.decode())
try:
    print("python again", rfc8785.dumps(json.loads(written)).decode())
except rfc8785.CanonicalizationError as error:
    print("python again", type(error).__name__)
PY
cat > again.mjs <<'JS'
import canonicalize from "canonicalize";
const written = canonicalize({ n: 1e20 });
console.log("node writes", written);
console.log("node again", canonicalize(JSON.parse(written)));
JS

{ py/bin/python again.py; node again.mjs; } > seen
cat > expected <<'TXT'
python writes {"n":100000000000000000000}
python again IntegerDomainError
node writes {"n":100000000000000000000}
node again {"n":100000000000000000000}
TXT
cat seen
diff expected seen && echo "as described"
