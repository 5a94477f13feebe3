#!/usr/bin/env bash
# Guess: verify() of the Standard Webhooks libraries checks the signature of a body and fails only with its own error class.
# Seen with standardwebhooks 1.1.1 (npm) and 1.1.0 (PyPI): verify() parses the body as JSON after the signature was found right. A well-signed
#   text body raises the JSON parser's error, not WebhookVerificationError. A well-signed empty body gives undefined in Node and an error in Python.
# Why it matters: a receiver that answers 400 on the library's error class answers 500 on these; a sender should send JSON objects only.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv py && py/bin/pip -q --disable-pip-version-check install standardwebhooks==1.1.0
npm install --silent --no-audit --no-fund --prefix "$dir" standardwebhooks@1.1.1

cat > bodies.mjs <<'JS'
import { Webhook } from "standardwebhooks";
const hook = new Webhook(`whsec_${Buffer.alloc(24, 7).toString("base64")}`);
const at = new Date();
for (const body of ["hello", ""]) {
  const headers = { "webhook-id": "m", "webhook-timestamp": String(Math.floor(at.getTime() / 1000)), "webhook-signature": hook.sign("m", at, body) };
  try {
    console.log("node", JSON.stringify(body), String(hook.verify(body, headers)));
  } catch (error) {
    console.log("node", JSON.stringify(body), error.constructor.name);
  }
}
JS
cat > bodies.py <<'PY'
import base64, datetime, json
from standardwebhooks import Webhook
hook = Webhook("whsec_" + base64.b64encode(b"\7" * 24).decode())
at = datetime.datetime.now(datetime.timezone.utc)
for body in ["hello", ""]:
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": hook.sign("m", at, body)}
    try:
        print("python", json.dumps(body), hook.verify(body, headers))
    except Exception as error:
        print("python", json.dumps(body), type(error).__name__)
PY

{ node bodies.mjs; py/bin/python bodies.py; } > seen
cat > expected <<'TXT'
node "hello" SyntaxError
node "" undefined
python "hello" JSONDecodeError
python "" JSONDecodeError
TXT
cat seen
diff expected seen && echo "as described"
