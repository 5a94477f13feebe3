import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { moveClock, resetClock } from "@/lib/platform/clock";
import { env, setEnv } from "@/lib/platform/env";
import { checkHealth } from "@/lib/platform/health";
import { keptMs } from "@/lib/platform/shared-look";
import { portalStatus } from "./status";

// Stands for Keycloak and both engines, and counts how often each of them is asked.
const base = env();
const asked = { identity: 0, engines: 0 };
let identityStatus = 200;
let identityName = "realm";
let server: Server;
let held: (() => void)[] | null = null;

beforeAll(async () => {
  server = createServer((request, response) => {
    const isIdentity = request.url === "/realm/.well-known/openid-configuration";
    asked[isIdentity ? "identity" : "engines"] += 1;
    const answer = () => { response.writeHead(isIdentity ? identityStatus : 200).end(JSON.stringify(isIdentity ? { issuer: env().KEYCLOAK_ISSUER.replace(/realm$/, identityName) } : {})); };
    if (held) held.push(answer);
    else answer();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  setEnv({ ...base, KEYCLOAK_ISSUER: `${url}/realm`, FLOWISE_URL: url, NFLOW_API_URL: `${url}/v1` });
});

beforeEach(() => {
  // Past what an earlier test, or another file of this process, has seen.
  moveClock(keptMs);
  Object.assign(asked, { identity: 0, engines: 0 });
});

afterEach(() => {
  identityStatus = 200;
  identityName = "realm";
  held = null;
});

afterAll(() => {
  resetClock();
  setEnv(base);
  server.close();
});

describe("looking whether the parts answer", () => {
  it("is done once for all who ask at the same time, however long it takes, and for the status page too", async () => {
    held = [];
    const first = checkHealth();
    await vi.waitUntil(() => held?.length === 1, { timeout: 10_000 });
    moveClock(keptMs);
    const rest = [...Array.from({ length: 50 }, () => checkHealth()), ...Array.from({ length: 50 }, () => portalStatus().then(() => null))];
    await vi.waitUntil(() => held?.length === 3, { timeout: 10_000 });
    for (const answer of held) answer();
    await Promise.all([first, ...rest]);
    expect(asked).toEqual({ identity: 1, engines: 2 });
  });

  it("is done again after a second, and then tells what has changed", async () => {
    expect((await checkHealth()).checks.identity.status).toBe("ok");
    identityStatus = 503;
    moveClock(keptMs - 500);
    expect((await checkHealth()).checks.identity.status).toBe("ok");
    expect(asked.identity).toBe(1);
    moveClock(500);
    expect((await checkHealth()).checks.identity.status).toBe("failed");
    expect(asked.identity).toBe(2);
  });

  it("a replica stays ready while only the identity provider is away", async () => {
    identityStatus = 503;
    expect(await checkHealth()).toMatchObject({ status: "ok", checks: { identity: { status: "failed" }, database: { status: "ok" }, redis: { status: "ok" } } });
  });

  it("a realm that calls itself by another issuer is not ok", async () => {
    identityName = "renamed";
    expect((await checkHealth()).checks.identity.status).toBe("failed");
  });
});
