import { describe, expect, it } from "vitest";
import type { Verdict } from "../check";
import * as clients from "./clients";
import * as flowise from "./flowise";
import * as issuer from "./issuer";
import * as nflow from "./nflow";
import * as portal from "./portal";
import * as postgres from "./postgres";
import * as redis from "./redis";
import * as sentinel from "./sentinel";
import * as settings from "./settings";
import * as signOuts from "./sign-outs";
import * as sync from "./sync";
import * as tls from "./tls";
import * as tokens from "./tokens";

const said = (verdict: Verdict) => (verdict.outcome === "failed" ? verdict.cure : verdict.outcome);
const answer = (status: number, json: unknown = null, headers: Record<string, string> = {}) => ({ status, json, text: "", header: (name: string) => headers[name] ?? null });

describe("size of a token", () => {
  it.each([[1200, /^passed$/], [14_000, /^passed$/], [16_001, /fewer groups/]])("%i characters", (size, words) => expect(said(tokens.judgeSize("x".repeat(size)))).toMatch(words));
});

describe("signing keys", () => {
  const keys = (...all: object[]) => issuer.judgeKeys(answer(200, { keys: all }));
  it("pass with algorithms that the portal accepts, beside a key for encryption", () => expect(keys({ alg: "EdDSA", crv: "Ed25519", use: "sig" }, { alg: "RS512", use: "sig" }, { alg: "RSA-OAEP", use: "enc" }).outcome).toBe("passed"));
  it.each([{ all: [] }, { all: [{ alg: "EdDSA", crv: "Ed448", use: "sig" }] }, { all: [{ alg: "RS256", use: "sig" }, { alg: "ES256K", use: "sig" }] }])("$all fail with the list", ({ all }) => expect(said(keys(...all))).toContain("EdDSA with Ed25519"));
});

describe("clients", () => {
  const client = { id: "sluice-web", setting: "KEYCLOAK_CLIENT" };
  it.each([
    [400, "invalid_grant", /^passed$/], [401, "unauthorized_client", /KEYCLOAK_CLIENT_SECRET/], [401, "invalid_client", /KEYCLOAK_CLIENT_ID.*keycloak:setup/], [403, "access_denied", /enable the realm/], [400, "unauthorized_client", /confidential/],
  ])("%i %s", (status, error, words) => expect(said(clients.judgeAuthentication(answer(status, { error }), client))).toMatch(words));
  it("an answer that is no OAuth answer fails", () => expect(clients.judgeAuthentication(answer(502), client).outcome).toBe("failed"));

  const own = "https://sluice.test/callback";
  const to = (location: string) => answer(302, null, { location });
  it("a page instead of a redirect, or another address, is not ours", () => {
    expect(clients.judgeRedirect(to(`${own}?error=login_required`), own, "web").outcome).toBe("passed");
    expect(said(clients.judgeRedirect(answer(400), own, "web"))).toContain(own);
    expect(clients.judgeRedirect(to(`${own}/deeper?error=login_required`), own, "web").outcome).toBe("failed");
    expect(clients.judgeRedirect(to(`${own}?error=unauthorized_client`), own, "web").outcome).toBe("failed");
  });
  it("a foreign address must be refused with a page", () => {
    expect(clients.judgeForeign(answer(400), "web").outcome).toBe("passed");
    expect(said(clients.judgeForeign(to("https://elsewhere.invalid/callback?error=login_required"), "web"))).toContain("wildcard");
    expect(clients.judgeForeign(answer(500), "web").outcome).toBe("failed");
  });
  it("only invalid_request at our own address shows that PKCE is wanted", () => {
    expect(clients.judgePkce(to(`${own}?error=invalid_request`), own, "web").outcome).toBe("passed");
    expect(said(clients.judgePkce(to(`${own}?error=login_required`), own, "web"))).toContain("S256");
    expect(clients.judgePkce(answer(400), own, "web").outcome).toBe("not applicable");
  });
});

describe("issuer", () => {
  const document = { issuer: "https://id.test/realms/a", ...Object.fromEntries(["authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint", "end_session_endpoint"].map((e) => [e, `https://id.test/${e}`])) };
  it("must call itself what we call it, to the letter", () => {
    expect(issuer.judgeDiscovery(answer(200, document), "https://id.test/realms/a").outcome).toBe("passed");
    expect(said(issuer.judgeDiscovery(answer(200, document), "https://id.test/realms/A"))).toContain("--hostname");
    expect(issuer.judgeDiscovery(answer(404, { error: "Realm does not exist" }), "x").outcome).toBe("failed");
    expect(issuer.judgeDiscovery(answer(200, {}), "x").outcome).toBe("failed");
  });
  it("may be half a minute apart", () => {
    const now = Date.parse("2030-01-01T00:01:00Z");
    const at = (date: string) => issuer.judgeClock(Date.parse(date), now);
    expect(at("2030-01-01T00:00:31Z").outcome).toBe("passed");
    expect(at("2030-01-01T00:00:29Z")).toMatchObject({ outcome: "failed", detail: expect.stringContaining("31 s ahead") });
    expect(at("2030-01-01T00:01:40Z")).toMatchObject({ outcome: "failed", detail: expect.stringContaining("behind") });
    expect(at("").outcome).toBe("not applicable");
  });
});

describe("tokens", () => {
  it("audiences may be a list or one", () => {
    expect(tokens.judgeAudiences({ sub: "s", aud: ["nflow", "web"] }, ["nflow"]).outcome).toBe("passed");
    expect(tokens.judgeAudiences({ sub: "s", aud: "web" }, ["nflow", "web"])).toMatchObject({ outcome: "failed", detail: "nflow is missing" });
    expect(said(tokens.judgeAudiences({}, ["nflow"]))).toContain("lightweight access token");
  });
  it("a role may stand in either claim, or come from DEFAULT_ROLE", () => {
    expect(tokens.judgeRole({ roles: ["user"] }, undefined).outcome).toBe("passed");
    expect(tokens.judgeRole({ realm_access: { roles: ["viewer"] } }, undefined).outcome).toBe("passed");
    expect(tokens.judgeRole({ roles: ["offline_access"] }, undefined).outcome).toBe("failed");
    expect(tokens.judgeRole({}, "viewer").outcome).toBe("passed");
  });
  it("the tenant is the organization, else the first part of the first group", () => {
    const env = { TENANT_CLAIM: undefined, DEFAULT_TENANT: "default" };
    expect(tokens.judgeTenant({ groups: ["/acme/team"], organization: { globex: {} } }, env)).toMatchObject({ detail: "globex, from the claim organization" });
    expect(tokens.judgeTenant({ groups: ["/acme/team"] }, env)).toMatchObject({ detail: "acme, from the claim groups" });
    expect(tokens.judgeTenant({ groups: [] }, env)).toMatchObject({ detail: "DEFAULT_TENANT default", advice: expect.any(String) });
    expect(tokens.judgeTenant({ groups: ["/acme"] }, { ...env, TENANT_CLAIM: "company" })).toMatchObject({ detail: "DEFAULT_TENANT default" });
  });
  it("a service account that could change the realm fails, one that reads more is noted", () => {
    expect(sync.judgeRights(["view-users", "query-users", "query-groups"])).toEqual({ outcome: "passed", detail: "view-users alone" });
    expect(sync.judgeRights(["view-users", "view-realm"])).toMatchObject({ outcome: "passed", advice: expect.stringContaining("view-realm") });
    expect(sync.judgeRights(["view-users", "manage-users"])).toMatchObject({ outcome: "failed", detail: expect.stringContaining("manage-users") });
    expect(sync.judgeRights(["realm-admin"]).outcome).toBe("failed");
  });
});

describe("stores", () => {
  it.each([["noeviction", "passed"], ["allkeys-lru", "failed"], [undefined, "failed"]])("policy %s: %s", (policy, outcome) => expect(redis.judgePolicy(policy).outcome).toBe(outcome));
  it("a Redis keeps its data by either way, or may not tell", () => {
    expect(redis.judgePersistence({ aof_enabled: "1" }, "").outcome).toBe("passed");
    expect(redis.judgePersistence({ aof_enabled: "0" }, "3600 1")).toMatchObject({ outcome: "passed", advice: expect.any(String) });
    expect(redis.judgePersistence({ aof_enabled: "0" }, "").outcome).toBe("failed");
    expect(redis.judgePersistence({ aof_enabled: "0" }, null).outcome).toBe("not applicable");
  });
  it("a slow Redis is told of, a very slow one fails", () => {
    const near = "redis://localhost:6379";
    expect([redis.judgeLatency(1, near), redis.judgeLatency(30, near)]).toMatchObject([{ outcome: "passed" }, { outcome: "passed", advice: expect.stringContaining("slow") }]);
    expect(redis.judgeLatency(1, near)).not.toHaveProperty("advice");
    expect(redis.judgeLatency(150, near).outcome).toBe("failed");
    expect(redis.judgeLatency(1, "redis://redis.test:6379")).toMatchObject({ advice: expect.stringContaining("rediss://") });
  });
  it("Redis 7, or any Valkey, as a primary", () => {
    expect(redis.judgeVersion(redis.infoOf("# Server\r\nredis_version:6.2.14\r\n")).outcome).toBe("failed");
    expect(redis.judgeVersion({ redis_version: "7.2.4", valkey_version: "8.0.1" })).toMatchObject({ detail: "Valkey 8.0.1" });
    expect(redis.judgeRole({ role: "slave" }).outcome).toBe("failed");
  });
  it.each([["15.2 (Debian)", "passed"], ["14.11", "failed"], ["", "failed"]])("PostgreSQL %s: %s", (version, outcome) => expect(postgres.judgeVersion(version).outcome).toBe(outcome));
  it("rights must reach the schema and its tables", () => {
    expect(postgres.judgeRights({ schema: "public", creates: true, closed: 0 }).outcome).toBe("passed");
    expect(said(postgres.judgeRights({ schema: "public", creates: false, closed: 0 }))).toContain("GRANT CREATE");
    expect(postgres.judgeRights({ schema: "public", creates: true, closed: 2 }).outcome).toBe("failed");
    expect(postgres.judgeRights({ schema: null, creates: null, closed: 0 }).outcome).toBe("failed");
  });
  it("pending migrations are no fault, failed and edited ones are", () => {
    const of = (...states: ("applied" | "pending" | "failed" | "edited")[]) => postgres.judgeMigrations(states.map((state, i) => ({ name: `m${i}`, state })));
    expect(of("applied", "pending")).toMatchObject({ outcome: "passed", detail: expect.stringContaining("1 of 2") });
    expect(of("applied", "failed")).toMatchObject({ outcome: "failed", detail: expect.stringContaining("m1") });
    expect(of("edited", "pending").outcome).toBe("failed");
  });
});

describe("engines", () => {
  it.each([[401, "passed"], [403, "passed"], [200, "failed"], [404, "failed"], [502, "failed"]])("NFlow answers %i to nobody: %s", (status, outcome) => expect(nflow.judgeAnonymous(status).outcome).toBe(outcome));
  it("an address without NFlow's /v1 is told from a broken NFlow", () => expect(said(nflow.judgeAnonymous(404))).toContain("/v1"));
  it("Flowise's key must list chatflows, not bring a web page", () => {
    expect(flowise.judgeKey(answer(200, { data: [], total: 3 }))).toMatchObject({ detail: "lists 3 chatflows" });
    expect(flowise.judgeKey(answer(200)).outcome).toBe("failed");
    expect(said(flowise.judgeKey(answer(401)))).toContain("FLOWISE_API_KEY");
    expect(said(flowise.judgeKey(answer(403)))).toContain("chatflows:view");
  });
  it("bound chatflows are named, with what that means for us", () => {
    const of = (...keys: (string | null)[]) => ({ total: keys.length, data: keys.map((apikeyid, i) => ({ name: `flow ${i}`, apikeyid })) });
    expect(flowise.judgeBound(of(null, ""), "user-token")).toEqual({ outcome: "passed", detail: "none" });
    expect(flowise.judgeBound(of(null, "k"), "user-token")).toMatchObject({ detail: "1: flow 1", advice: expect.stringContaining("refuse everybody") });
    expect(flowise.judgeBound(of("k"), "service-key")).toMatchObject({ advice: expect.stringContaining("FLOWISE_API_KEY") });
    expect(flowise.judgeBound(null, "user-token").outcome).toBe("not applicable");
  });
  it("open predictions are a hole on the internet, and expected on a private network", () => {
    const open = { mode: "user-token" as const, anonymous: 404, badToken: 404, isPrivate: true };
    expect(flowise.judgePredictions(open)).toMatchObject({ outcome: "passed", advice: expect.stringContaining("keep the network closed") });
    expect(said(flowise.judgePredictions({ ...open, isPrivate: false }))).toContain("DENYLIST_URLS");
    expect(flowise.judgePredictions({ ...open, badToken: 401 })).toMatchObject({ detail: "tokens are checked" });
    expect(flowise.judgePredictions({ ...open, mode: "service-key" })).toMatchObject({ advice: expect.stringContaining("DENYLIST_URLS") });
    expect(flowise.judgePredictions({ ...open, anonymous: 401, isPrivate: false })).toEqual({ outcome: "passed", detail: "whoever brings nothing is refused" });
  });
});

describe("our own address", () => {
  it.each([["http://localhost:3000", "passed"], ["https://sluice.test", "passed"], ["http://127.0.0.1:3000", "failed"], ["http://[::1]:3000", "failed"], ["https://sluice.test/portal", "failed"]])("%s: %s", (address, outcome) => expect(settings.judgeAddress(address).outcome).toBe(outcome));
  it("the key for server actions has 32 bytes where it is set", () => {
    expect(settings.judgeActionsKey(undefined).outcome).toBe("not applicable");
    expect(settings.judgeActionsKey(Buffer.alloc(32, 7).toString("base64")).outcome).toBe("passed");
    expect(settings.judgeActionsKey("c2hvcnQ=").outcome).toBe("failed");
  });
  it("a short bootstrap token is told, because it opens nothing", () => {
    expect(settings.judgeAdminToken(undefined).outcome).toBe("not applicable");
    expect(settings.judgeAdminToken("x".repeat(31)).outcome).toBe("failed");
    expect(settings.judgeAdminToken("x".repeat(32)).outcome).toBe("passed");
  });
  it("a certificate is renewed a week before it ends", () => {
    const now = Date.parse("2030-01-01T00:00:00Z");
    const inDays = (days: number) => tls.judgeExpiry(new Date(now + days * 86_400_000), now);
    expect([inDays(30).outcome, inDays(6).outcome]).toEqual(["passed", "failed"]);
    expect(inDays(-1)).toMatchObject({ detail: "has expired" });
  });
  it("a back-channel logout that is no token is refused by the portal itself", () => {
    expect(portal.judgeLogout(answer(400)).outcome).toBe("passed");
    expect(said(portal.judgeLogout(answer(503, null, { "x-request-id": "r" })))).toContain("Redis");
    expect(portal.judgeLogout(answer(404)).outcome).toBe("failed");
    expect(said(portal.judgeLogout(answer(302)))).toContain("proxy");
  });
});

describe("sign-outs", () => {
  const url = "https://sluice.test/api/auth/backchannel-logout";
  const client = (attributes: Record<string, string>) => answer(200, [{ clientId: "sluice-web", attributes }]);
  const judge = (given: Parameters<typeof signOuts.judgeClient>[0]) => signOuts.judgeClient(given, "sluice-web", url);
  it("go to our address and name the session, where the realm may be seen", () => {
    expect(judge(client({ "backchannel.logout.url": url, "backchannel.logout.session.required": "true" })).outcome).toBe("passed");
    expect(judge(client({ "backchannel.logout.url": "https://old.test/x", "backchannel.logout.session.required": "true" }))).toMatchObject({ outcome: "failed", detail: "they go to https://old.test/x" });
    expect(judge(client({})).outcome).toBe("failed");
    expect(judge(client({ "backchannel.logout.url": url, "backchannel.logout.session.required": "false" })).outcome).toBe("failed");
    for (const hidden of [null, answer(403), answer(200, [])]) expect(judge(hidden).outcome).toBe("not applicable");
  });
  it("that came before are told with their age, and none is no proof of anything", () => {
    const at = Date.parse("2026-01-10T00:00:00Z");
    expect(signOuts.judgeEarlier(null, at).outcome).toBe("not applicable");
    expect(signOuts.judgeEarlier({ at: at - 5 * 3_600_000 }, at)).toEqual({ outcome: "passed", detail: "the last one arrived 5 hours ago" });
    expect(signOuts.judgeEarlier({ at: at - 20 * 86_400_000 }, at)).toMatchObject({ detail: "the last one arrived 20 days ago", advice: expect.stringContaining("long ago") });
  });
});

describe("sentinel", () => {
  const one = (port: number, downAfterMs = 5000) => ({ host: "10.0.0.1", port, downAfterMs });
  it("all of them must answer, and name the same primary", () => {
    expect(sentinel.judgeSentinels([one(1), one(1), one(1)])).toEqual({ outcome: "passed", detail: "3 name 10.0.0.1:1" });
    expect(said(sentinel.judgeSentinels([one(1), null, one(1)]))).toContain("reachable");
    expect(said(sentinel.judgeSentinels([one(1), one(2), one(1)]))).toContain("SENTINEL RESET");
    expect(sentinel.judgeSentinels([one(1)])).toMatchObject({ advice: expect.stringContaining("fewer than three") });
  });
  it("a primary must miss its replicas sooner than its Sentinels miss it", () => {
    const judge = (toWrite: number, maxLagSeconds: number) => sentinel.judgeCutOff({ toWrite, maxLagSeconds }, [one(1, 5000), null]).outcome;
    expect([judge(0, 1), judge(1, 10), judge(1, 5), judge(1, 4), judge(2, 1)]).toEqual(["failed", "failed", "failed", "passed", "passed"]);
    expect(sentinel.judgeCutOff(null, [one(1)]).outcome).toBe("not applicable");
  });
});
