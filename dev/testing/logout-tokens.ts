import { createServer } from "node:http";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { listenOnLoopback } from "../lib/calls";

const event = "http://schemas.openid.net/event/backchannel-logout";
type Key = Parameters<SignJWT["sign"]>[0];

/** An issuer that is nobody's but a test's: its discovery and its keys, and it signs whatever is wanted. */
export async function startSigner() {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const stranger = await generateKeyPair("RS256");
  const kid = "signer";
  let keyReads = 0;
  const server = createServer((req, res) => {
    const path = new URL(req.url ?? "/", issuer).pathname;
    const send = (body: unknown) => void res.setHeader("content-type", "application/json").end(JSON.stringify(body));
    if (path.endsWith("/openid-configuration")) return send(Object.fromEntries([["issuer", issuer], ...["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint", "end_session_endpoint"].map((name) => [name, `${issuer}/${name}`])]));
    if (!path.endsWith("/jwks_uri")) return void res.writeHead(404).end();
    keyReads += 1;
    void exportJWK(publicKey).then((jwk) => send({ keys: [{ ...jwk, kid, alg: "RS256", use: "sig" }] }));
  });
  const issuer = `http://localhost:${await listenOnLoopback(server)}/realms/signed`;
  const seconds = () => Math.floor(Date.now() / 1000);
  let count = 0;
  /** A good token's claims; `undefined` leaves one out. */
  const claims = (more: JWTPayload = {}): JWTPayload => {
    const all = { iss: issuer, aud: "sluice-web", sub: "somebody", sid: "a-session", jti: `jti-${process.pid}-${Date.now()}-${++count}`, iat: seconds(), exp: seconds() + 120, typ: "Logout", events: { [event]: {} }, ...more };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  };
  const sign = (payload: JWTPayload, header: { alg?: string; kid?: string; typ?: string } = {}, key: Key = privateKey) => new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid, typ: "logout+jwt", ...header }).sign(key);
  return {
    issuer, event, claims, sign,
    /** How often somebody read the keys. */
    keyReads: () => keyReads,
    /** Everything that must be refused, each wrong in one thing only, with a word of the refusal. `more` is whom the token names. */
    async abuses(more: JWTPayload): Promise<[what: string, jws: string, why: string][]> {
      const good = (wrong: JWTPayload = {}) => claims({ ...more, ...wrong });
      const spki = new TextEncoder().encode(await exportSPKI(publicKey));
      const [head = "", body = "", signature = ""] = (await sign(good())).split(".");
      const other = Buffer.from(JSON.stringify(good({ sid: "another" }))).toString("base64url");
      return [
        ["alg none", new UnsecuredJWT(good()).encode(), "algorithm"],
        ["HS256 with the public key as its secret", await sign(good(), { alg: "HS256" }, spki), "algorithm"],
        ["signed by somebody else under our key's name", await sign(good(), {}, stranger.privateKey), "signature"],
        ["signed under a name that the realm does not know", await sign(good(), { kid: "unknown" }, stranger.privateKey), "signature"],
        ["another body under a good signature", `${head}.${other}.${signature}`, "signature"],
        ["no signature", `${head}.${body}.`, "signature"],
        ["another issuer", await sign(good({ iss: `${issuer}x` })), "issuer"],
        ["no issuer", await sign(good({ iss: undefined })), "issuer"],
        ["made for another client", await sign(good({ aud: "another" })), "somebody else"],
        ["made for our service account", await sign(good({ aud: "sluice-sync" })), "somebody else"],
        ["made for nobody", await sign(good({ aud: undefined })), "somebody else"],
        ["over", await sign(good({ iat: seconds() - 300, exp: seconds() - 120 })), "is over"],
        ["without an end", await sign(good({ exp: undefined })), "until when"],
        ["made in the future", await sign(good({ iat: seconds() + 300, exp: seconds() + 420 })), "future"],
        ["without the time it was made", await sign(good({ iat: undefined })), "until when"],
        ["a nonce", await sign(good({ nonce: "n" })), "nonce"],
        ["no events", await sign(good({ events: undefined })), "does not tell of"],
        ["another event", await sign(good({ events: { "http://schemas.openid.net/event/other": {} } })), "does not tell of"],
        ["an event that is no object", await sign(good({ events: { [event]: true } })), "does not tell of"],
        ["an ID token", await sign(good({ events: undefined, typ: "ID", nonce: "n", auth_time: seconds() }), { typ: "JWT" }), "does not tell of"],
        ["an access token's type", await sign(good(), { typ: "at+jwt" }), "kind of token"],
        ["neither sub nor sid", await sign(good({ sub: undefined, sid: undefined })), "neither a person"],
        ["a sid that is no text", await sign(good({ sid: { a: 1 } as unknown as string })), "its sid"],
        ["no jti", await sign(good({ jti: undefined })), "has no id"],
        ["a claim that is no JSON", `${head}.${Buffer.from("not json").toString("base64url")}.${signature}`, "signature"],
        ["no token at all", "not-a-token", "cannot be read"],
      ];
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export type Signer = Awaited<ReturnType<typeof startSigner>>;
