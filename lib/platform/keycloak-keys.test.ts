import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { moveClock, resetClock } from "./clock";
import { setEnv } from "./env";
import { forgetKeycloak, verifyKeycloakToken } from "./keycloak";

// An identity provider that knows nothing but its keys.
let server: Server;
let issuer: string;
const keys: JWK[] = [];
let reads = 0;
let isAway = false;

beforeAll(async () => {
  server = createServer((req, res) => {
    if (isAway) return void res.writeHead(503).end();
    if (req.url?.endsWith("/certs")) reads++;
    const document = { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/certs`, revocation_endpoint: `${issuer}/revoke`, end_session_endpoint: `${issuer}/logout` };
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify(req.url?.endsWith("/certs") ? { keys } : document));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  issuer = `http://localhost:${(server.address() as AddressInfo).port}/realms/keys`;
  process.env.KEYCLOAK_ISSUER = issuer;
  setEnv(undefined);
  forgetKeycloak();
});
afterEach(() => {
  isAway = false;
  resetClock();
});
afterAll(() => server.close());

async function aKey(kid: string, alg = "RS256") {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: "sig" });
  return (offsetSeconds = 0) => {
    const at = Math.floor(Date.now() / 1000) + offsetSeconds;
    return new SignJWT({ typ: "Bearer", azp: "sluice-web" }).setProtectedHeader({ alg, kid }).setIssuer(issuer).setSubject("s").setAudience("account").setIssuedAt(at).setExpirationTime(at + 300).sign(privateKey);
  };
}

it("signing keys outlive their address being away, a rotation is read once, and unknown keys do not make us ask again and again", async () => {
  const first = await aKey("first");
  const verify = async (token: string) => (await verifyKeycloakToken(token)).sub;
  expect(await verify(await first())).toBe("s");
  expect(reads).toBe(1);
  isAway = true;
  expect(await verify(await first())).toBe("s");
  isAway = false;

  const second = await aKey("second");
  moveClock(31_000);
  expect(await Promise.all([second(), second(), second()].map(async (token) => verify(await token)))).toEqual(["s", "s", "s"]);
  expect(reads).toBe(2);
  const stranger = await aKey("stranger");
  keys.pop();
  for (let i = 0; i < 5; i++) await expect(verify(await stranger())).rejects.toMatchObject({ code: "invalid_credentials" });
  expect(reads).toBe(2);
});

it("a clock that is two minutes ahead of Keycloak's refuses no token that Keycloak has just given, and admits no old one that a caller brings", async () => {
  const sign = await aKey("skew");
  moveClock(120_000);
  const over = await sign(-270);
  expect((await verifyKeycloakToken(over)).sub).toBe("s");
  await expect(verifyKeycloakToken(over, { from: "caller" })).rejects.toMatchObject({ code: "token_expired" });
  await expect(verifyKeycloakToken(await sign(-370))).rejects.toMatchObject({ code: "token_expired" });
});

it.each(["RS256", "RS512", "PS256", "ES256", "ES512", "EdDSA"])("a token that the realm signs with %s is accepted", async (alg) => {
  const sign = await aKey(`of-${alg}`, alg);
  forgetKeycloak();
  expect((await verifyKeycloakToken(await sign())).sub).toBe("s");
});
