#!/usr/bin/env bash
# Guess: a library that verifies Ed25519 signatures in tokens does so under both registered names of the algorithm, EdDSA and Ed25519 (RFC 9864).
# Seen with jose 6.2.17 (npm), PyJWT 2.15.1 and joserfc 1.8.0 (PyPI): jose signs and verifies under either name with one key. PyJWT knows EdDSA alone and
#   calls Ed25519 "not supported". No library takes one name for the other, although key, input and signature are made in the same way.
# Why it matters: RFC 9864 advises the new name, and a gateway that signs its tokens under it cannot be read by PyJWT. A list of accepted algorithms
#   needs both names.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv py && py/bin/pip -q --disable-pip-version-check install "PyJWT[crypto]==2.15.1" joserfc==1.8.0
npm install --silent --no-audit --no-fund --prefix "$dir" jose@6.2.17

cat > sign.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, jwtVerify, SignJWT } from "jose";
const { privateKey, publicKey } = await generateKeyPair("Ed25519", { extractable: true });
const names = ["EdDSA", "Ed25519"];
const tokens = {};
for (const alg of names) tokens[alg] = await new SignJWT({ sub: "a" }).setProtectedHeader({ alg }).sign(await importJWK(await exportJWK(privateKey), alg));
for (const alg of names) for (const allowed of names) {
  const said = await jwtVerify(tokens[alg], publicKey, { algorithms: [allowed] }).then(() => "verified", (error) => error.code);
  console.log(`jose, signed as ${alg}, allowed ${allowed}: ${said}`);
}
writeFileSync("signed.json", JSON.stringify({ tokens, pem: await exportSPKI(publicKey), jwk: await exportJWK(publicKey) }));
JS
cat > verify.py <<'PY'
import json, jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import OKPKey
signed = json.load(open("signed.json"))
libraries = {
    "PyJWT": lambda token, allowed: jwt.decode(token, signed["pem"], algorithms=[allowed]),
    "joserfc": lambda token, allowed: joserfc_jwt.decode(token, OKPKey.import_key(signed["jwk"]), algorithms=[allowed]),
}
for library, decode in libraries.items():
    for alg, token in signed["tokens"].items():
        for allowed in ("EdDSA", "Ed25519"):
            try:
                decode(token, allowed)
                said = "verified"
            except Exception as error:
                said = type(error).__name__
            print(f"{library}, signed as {alg}, allowed {allowed}: {said}")
PY

{ node sign.mjs; py/bin/python -W ignore verify.py; } > seen
cat > expected <<'TXT'
jose, signed as EdDSA, allowed EdDSA: verified
jose, signed as EdDSA, allowed Ed25519: ERR_JOSE_ALG_NOT_ALLOWED
jose, signed as Ed25519, allowed EdDSA: ERR_JOSE_ALG_NOT_ALLOWED
jose, signed as Ed25519, allowed Ed25519: verified
PyJWT, signed as EdDSA, allowed EdDSA: verified
PyJWT, signed as EdDSA, allowed Ed25519: InvalidAlgorithmError
PyJWT, signed as Ed25519, allowed EdDSA: InvalidAlgorithmError
PyJWT, signed as Ed25519, allowed Ed25519: InvalidAlgorithmError
joserfc, signed as EdDSA, allowed EdDSA: verified
joserfc, signed as EdDSA, allowed Ed25519: UnsupportedAlgorithmError
joserfc, signed as Ed25519, allowed EdDSA: UnsupportedAlgorithmError
joserfc, signed as Ed25519, allowed Ed25519: verified
TXT
cat seen
diff expected seen && echo "as described"
