#!/usr/bin/env bash
# Guess: where one library of Standard Webhooks reads a list of signatures, the others read the same header.
# Seen with standardwebhooks 1.1.1 (npm) and 1.1.0 (PyPI): two spaces between signatures, or the ", " with which a server joins two headers, are
#   read by Node's. Python's raises a plain ValueError, although a right signature is among them.
# Why it matters: while a secret is rotated a sender has two signatures, and must put them into one header with exactly one space.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv py && py/bin/pip -q --disable-pip-version-check install standardwebhooks==1.1.0
npm install --silent --no-audit --no-fund --prefix "$dir" standardwebhooks@1.1.1

cat > list.mjs <<'JS'
import { Webhook } from "standardwebhooks";
const [hook, other] = [7, 8].map((byte) => new Webhook(`whsec_${Buffer.alloc(24, byte).toString("base64")}`));
const at = new Date();
for (const [name, between] of [["one space", " "], ["two spaces", "  "], ["comma", ", "]]) {
  const headers = { "webhook-id": "m", "webhook-timestamp": String(Math.floor(at.getTime() / 1000)), "webhook-signature": [other, hook].map((h) => h.sign("m", at, "{}")).join(between) };
  try {
    hook.verify("{}", headers);
    console.log("node", name, "verified");
  } catch (error) {
    console.log("node", name, error.constructor.name);
  }
}
JS
cat > list.py <<'PY'
import base64, datetime
from standardwebhooks import Webhook
hook, other = (Webhook("whsec_" + base64.b64encode(bytes([byte]) * 24).decode()) for byte in (7, 8))
at = datetime.datetime.now(datetime.timezone.utc)
for name, between in (("one space", " "), ("two spaces", "  "), ("comma", ", ")):
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": between.join(h.sign("m", at, "{}") for h in (other, hook))}
    try:
        hook.verify("{}", headers)
        print("python", name, "verified")
    except Exception as error:
        print("python", name, type(error).__name__)
PY

{ node list.mjs; py/bin/python list.py; } > seen
cat > expected <<'TXT'
node one space verified
node two spaces verified
node comma verified
python one space verified
python two spaces ValueError
python comma ValueError
TXT
cat seen
diff expected seen && echo "as described"
