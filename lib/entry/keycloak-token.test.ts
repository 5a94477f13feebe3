import { randomUUID } from "node:crypto";
import type { JWTPayload } from "jose";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Signer, startSigner } from "@/dev/testing/logout-tokens";
import { env, setEnv } from "@/lib/platform/env";
import { identify } from "./identify";

const base = env();
let signer: Signer;
beforeAll(async () => void (signer = await startSigner()));
beforeEach(() => setEnv({ ...base, KEYCLOAK_ISSUER: signer.issuer, KEYCLOAK_DIRECT_CLIENT_ID: "sluice-direct", KEYCLOAK_SYNC_CLIENT_ID: "sluice-sync" }));
afterAll(async () => {
  setEnv(base);
  await signer.close();
});

const own = base.KEYCLOAK_CLIENT_ID;
const machine = base.KEYCLOAK_MACHINE_CLIENT_ID;

/** An access token that is good but for what `more` says. */
async function ask(more: JWTPayload): Promise<string> {
  const claims = signer.claims({ typ: "Bearer", events: undefined, sub: randomUUID(), sid: randomUUID(), aud: ["account", own], preferred_username: `p-${randomUUID()}`, roles: ["user"], ...more });
  const token = await signer.sign(claims, { typ: "JWT" });
  return identify({ apiKey: null, authorization: `Bearer ${token}`, cookie: null, origin: null, safe: true, referer: null }, { requestId: "r", ip: null, userAgent: null }).then(() => "ok", (error: { code: string }) => error.code);
}

it("a token is taken from our own client and from any that the operator gave our audience, and never from one that holds owner grants or from nobody", async () => {
  expect(await ask({ azp: own })).toBe("ok");
  expect(await ask({ azp: "a-report-tool" })).toBe("ok");
  for (const azp of [machine, "sluice-direct", "sluice-sync", undefined, [own], ""]) expect(await ask({ azp }), String(azp)).toBe("invalid_credentials");
  expect(await ask({ azp: own, aud: "another" })).toBe("invalid_credentials");
});

it("where the operator listed the clients, no other client's token is taken, whatever audience its realm puts into it", async () => {
  setEnv({ ...env(), KEYCLOAK_TOKEN_CLIENTS: ["a-report-tool"] });
  expect(await ask({ azp: "a-report-tool" })).toBe("ok");
  expect(await ask({ azp: own })).toBe("ok");
  for (const azp of ["another-tool", "a-report-tool ", machine]) expect(await ask({ azp }), azp).toBe("invalid_credentials");
});
