import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Browser } from "../browser";
import { adminToken, type BlankRealm, makeBlankRealm } from "./blank-realm";

const authUrl = "http://localhost:3999";
const folder = mkdtempSync(join(tmpdir(), "sluice-setup-"));
const secretsFile = join(folder, "keycloak.env");
const admin = { KEYCLOAK_ADMIN_USERNAME: "admin", KEYCLOAK_ADMIN_PASSWORD: "admin" };
let realm: BlankRealm;
let secrets: Record<string, string | undefined> = {};

beforeAll(async () => { realm = await makeBlankRealm("setup"); });
afterAll(async () => {
  await realm?.remove();
  rmSync(folder, { recursive: true, force: true });
});

type Told = { code: number | null; out: string };

function run(script: string, args: string[], env: Record<string, string>, input = ""): Promise<Told> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", script, ...args], { env: { NODE_ENV: "production", PATH: process.env.PATH ?? "", ...env } });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => { out += chunk.toString(); });
    child.on("close", (code) => done({ code, out }));
    child.stdin.end(input);
  });
}

const setup = (args: string[], env: Record<string, string> = admin, input?: string) =>
  run("ops/keycloak-setup/main.ts", ["--direct", ...args], { AUTH_URL: authUrl, KEYCLOAK_ISSUER: realm.issuer, ...env }, input);

const Answer = z.object({ access_token: z.string(), refresh_token: z.string().optional() });
const variable = { web: "KEYCLOAK", machine: "KEYCLOAK_MACHINE", direct: "KEYCLOAK_DIRECT", sync: "KEYCLOAK_SYNC" };

async function token(client: keyof typeof variable, form: Record<string, string>): Promise<z.output<typeof Answer>> {
  const authorization = `Basic ${Buffer.from(`${secrets[`${variable[client]}_CLIENT_ID`]}:${secrets[`${variable[client]}_CLIENT_SECRET`]}`).toString("base64")}`;
  const answer = await fetch(`${realm.issuer}/protocol/openid-connect/token`, { method: "POST", headers: { authorization }, body: new URLSearchParams(form) });
  const json: unknown = await answer.json();
  if (!answer.ok) throw new Error(`${form.grant_type}: ${answer.status} ${JSON.stringify(json)}`);
  return Answer.parse(json);
}

const byPassword = (scope: string) => token("direct", { grant_type: "password", username: realm.person.username, password: realm.person.password, scope });
const narrowed = async (client: keyof typeof variable, accessToken: string, audience: string) => decodeJwt((await token(client, {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange", subject_token: accessToken, subject_token_type: "urn:ietf:params:oauth:token-type:access_token", audience,
})).access_token);

/** Signs in as a browser does, agrees where asked, and redeems the code. */
async function byBrowser(client: "web" | "machine", callback: string, scope: string) {
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({ client_id: secrets[`${variable[client]}_CLIENT_ID`] ?? "", redirect_uri: authUrl + callback, response_type: "code", scope, code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" });
  const browser = new Browser();
  // Nobody listens at the callback: the browser's failure to go there carries the code.
  const code = await (async () => {
    let page = await browser.go(`${realm.issuer}/protocol/openid-connect/auth?${query}`);
    page = await browser.submit(page, { username: realm.person.username, password: realm.person.password });
    return browser.submit(page, { accept: "Yes" });
  })().then(() => null, () => browser.lastAddress).then((address) => new URL(address ?? "about:blank").searchParams.get("code"));
  if (!code) throw new Error(`no code came to ${callback}`);
  return token(client, { grant_type: "authorization_code", code, redirect_uri: authUrl + callback, code_verifier: verifier });
}

type Client = { id: string; clientId: string; redirectUris: string[]; consentRequired: boolean; protocolMappers?: { id: string; name: string; config: Record<string, string> }[] };
const clientNamed = async (name: string) => ((await realm.admin("GET", `/clients?clientId=${name}`)) as Client[])[0];

describe("keycloak:setup on a blank realm", () => {
  it("says what it would do, and does nothing", async () => {
    const told = await setup([]);
    expect(told.code).toBe(0);
    expect(told.out).toMatch(/\+ create {2}client sluice-web/);
    expect(told.out).toMatch(/offlineSessionMaxLifespanEnabled: is false, recommended true/);
    expect(told.out).toMatch(/9 to create, 0 to change.*Nothing was changed/);
    expect(await clientNamed("sluice-web")).toBeUndefined();
  });

  it("begins nothing while the new secrets have nowhere to go", async () => {
    const told = await setup(["--apply"]);
    expect(told).toMatchObject({ code: 1, out: expect.stringContaining("--secrets-out") });
    expect(await clientNamed("nflow")).toBeUndefined();
  });

  it("does it, and writes the secrets to a file of its own alone", async () => {
    const told = await setup(["--apply", "--secrets-out", secretsFile]);
    expect(told.out).toMatch(/done: 9 created/);
    expect(told.code).toBe(0);
    expect(statSync(secretsFile).mode & 0o777).toBe(0o600);
    secrets = parseEnv(readFileSync(secretsFile, "utf8"));
    for (const name of Object.values(variable)) expect(secrets[`${name}_CLIENT_SECRET`]?.length).toBeGreaterThan(40);
    for (const secret of Object.values(secrets)) if ((secret?.length ?? 0) > 40) expect(told.out).not.toContain(secret);
  });

  it("has nothing to do the second time", async () => {
    const told = await setup([]);
    expect(told.out).toMatch(/\nnothing to do; 1 to look at yourself\n$/);
    const applied = await setup(["--apply", "--secrets-out", join(folder, "again.env")]);
    expect(applied.out).toMatch(/\nnothing to do/);
    expect(existsSync(join(folder, "again.env"))).toBe(false);
  });

  it("leads to tokens with the audiences, roles and groups that Sluice reads, and to narrow ones", async () => {
    await realm.admin("POST", `/users/${realm.person.id}/role-mappings/realm`, [await realm.admin("GET", "/roles/user")]);
    const { access_token, refresh_token } = await byPassword("openid offline_access");
    const claims = decodeJwt(access_token);
    expect([...(claims.aud as string[])].sort()).toEqual(["flowise", "nflow", "sluice-direct"]);
    expect(claims).toMatchObject({ roles: expect.arrayContaining(["user"]), groups: ["/acme"], preferred_username: "tess" });
    expect(decodeJwt(refresh_token ?? "").typ).toBe("Offline");
    for (const audience of ["nflow", "flowise"]) expect(await narrowed("direct", access_token, audience)).toMatchObject({ aud: audience, roles: ["user"], groups: ["/acme"], sub: claims.sub });
  });

  it("lets the browser sign in without lasting access, and the owner give it with consent", async () => {
    const web = await byBrowser("web", "/api/auth/callback/keycloak", "openid profile email");
    expect(decodeJwt(web.access_token)).toMatchObject({ roles: ["user"], groups: ["/acme"], azp: "sluice-web" });
    expect(decodeJwt(web.refresh_token ?? "").typ).toBe("Refresh");
    expect(await narrowed("web", web.access_token, "nflow")).toMatchObject({ aud: "nflow" });
    const machine = await byBrowser("machine", "/api/owner-grant/callback", "openid offline_access");
    // Keycloak makes clients that ask for consent without full scope, and their tokens lose roles that nobody allowed.
    expect(decodeJwt(machine.access_token)).toMatchObject({ roles: expect.arrayContaining(["user"]), groups: ["/acme"] });
    expect(decodeJwt(machine.refresh_token ?? "").typ).toBe("Offline");
    expect(await narrowed("machine", machine.access_token, "flowise")).toMatchObject({ aud: "flowise" });
    await expect(byBrowser("web", "/api/auth/callback/keycloak", "openid offline_access")).rejects.toThrow(/no code/);
  });

  it("satisfies the doctor", async () => {
    const nowhere = { REDIS_URL: "redis://localhost:9", DATABASE_URL: "postgresql://localhost:9/sluice", NFLOW_API_URL: "http://localhost:9/v1", FLOWISE_URL: "http://localhost:9" };
    const key = () => randomBytes(32).toString("base64");
    const told = await run("ops/doctor/main.ts", ["--json"], {
      ...nowhere, ...(secrets as Record<string, string>), AUTH_URL: authUrl, AUTH_SECRET: randomBytes(33).toString("base64"), SESSION_KEKS: `s1:${key()}`, VAULT_KEKS: `v1:${key()}`, KEYCLOAK_ISSUER: realm.issuer,
      PASSWORD_GRANT_ENABLED: "true", DOCTOR_USERNAME: realm.person.username, DOCTOR_PASSWORD: realm.person.password,
    });
    const { findings } = JSON.parse(told.out) as { findings: { area: string; check: string; outcome: string; why?: string }[] };
    const about = findings.filter((f) => ["settings", "issuer", "clients", "tokens", "user sync"].includes(f.area));
    // No bootstrap token is set, one process needs no key for server actions, Keycloak tells no Date, and there is no NFlow here.
    expect(about.filter((f) => f.outcome !== "passed").map((f) => `${f.area}: ${f.check}`)).toEqual(["settings: ADMIN_TOKEN", "settings: NEXT_SERVER_ACTIONS_ENCRYPTION_KEY", "issuer: clocks agree", "tokens: NFlow accepts the person"]);
    expect(about.filter((f) => f.outcome === "passed").map((f) => f.check)).toEqual(expect.arrayContaining(["back-channel logout", "sluice-web wants PKCE", "token for nflow alone", "lasting access", "clocks agree", "may do nothing more"]));
  });
});

describe("keycloak:setup on a realm that somebody has touched", () => {
  it("corrects what it needs, keeps what is the operator's, and tells of it", async () => {
    const machine = await clientNamed("sluice-machine");
    const groups = machine?.protocolMappers?.find((m) => m.name === "groups");
    await realm.admin("PUT", `/clients/${machine?.id}`, { ...machine, consentRequired: false, redirectUris: ["https://elsewhere.test/*"] });
    await realm.admin("PUT", `/clients/${machine?.id}/protocol-mappers/models/${groups?.id}`, { ...groups, config: { ...groups?.config, "full.path": "false" } });
    await realm.admin("PUT", "", { accessTokenLifespan: 1200 });
    const told = await setup(["--apply"]);
    expect(told.out).toMatch(/consentRequired +false → true/);
    expect(told.out).toMatch(/redirectUris +https:\/\/elsewhere\.test\/\* → https:\/\/elsewhere\.test\/\* http:\/\/localhost:3999\/api\/owner-grant\/callback/);
    expect(told.out).toMatch(/mapper groups full\.path +false → true/);
    expect(told.out).toMatch(/! look .*redirect address https:\/\/elsewhere\.test\/\* is not ours; kept/);
    expect(told.out).toMatch(/! look .*accessTokenLifespan: is 1200, recommended 300/);
    const after = await clientNamed("sluice-machine");
    expect(after).toMatchObject({ consentRequired: true, redirectUris: expect.arrayContaining(["https://elsewhere.test/*", `${authUrl}/api/owner-grant/callback`]) });
    expect(await realm.admin("GET", "")).toMatchObject({ accessTokenLifespan: 1200 });
    // The client was written back without its secret, which must not cost it.
    expect((await setup([])).out).toMatch(/\nnothing to do/);
    await expect(token("machine", { grant_type: "refresh_token", refresh_token: "none" })).rejects.toThrow(/invalid_grant/);
  });

  it("changes the realm's settings when asked to", async () => {
    expect((await setup(["--apply", "--realm-settings"])).out).toMatch(/accessTokenLifespan +1200 → 300/);
    expect(await realm.admin("GET", "")).toMatchObject({ accessTokenLifespan: 300, offlineSessionMaxLifespanEnabled: true });
    expect((await setup([])).out).not.toContain("realm setting");
  });

  it("takes tenants from organizations when told to", async () => {
    expect((await setup(["--apply", "--tenants", "organizations", "--realm-settings"])).code).toBe(0);
    await realm.admin("POST", "/organizations", { name: "globex", alias: "globex", domains: [{ name: "globex.test", verified: true }] });
    const [organization] = (await realm.admin("GET", "/organizations")) as { id: string }[];
    await realm.admin("POST", `/organizations/${organization?.id}/members`, realm.person.id);
    expect(decodeJwt((await byPassword("openid")).access_token).organization).toEqual(["globex"]);
    expect((await setup(["--tenants", "organizations"])).out).toMatch(/\nnothing to do/);
  });
});

describe("keycloak:setup refuses in words that help", () => {
  it.each([
    ["a wrong password", { ...admin, KEYCLOAK_ADMIN_PASSWORD: "not-it-at-all" }, /refuses the administrator's name or password/],
    ["nobody", {}, /who is asking\?/],
    ["a realm that is not there", { ...admin, KEYCLOAK_ISSUER: "REPLACED/realms/nowhere" }, /there is no realm nowhere/],
    ["a Keycloak that is not there", { ...admin, KEYCLOAK_ISSUER: "http://localhost:9/realms/x" }, /does not answer/],
    ["another administrator's realm", { ...admin, KEYCLOAK_ADMIN_REALM: "nowhere" }, /correct KEYCLOAK_ADMIN_REALM/],
  ])("%s", async (_what, env, words) => {
    const told = await setup([], Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace("REPLACED", realm.base)])));
    expect(told.code).toBe(1);
    expect(told.out).toMatch(words);
    expect(told.out).not.toContain("not-it-at-all");
  });

  it("an administrator without the rights hears which role is lacking", async () => {
    const told = await setup([], { KEYCLOAK_ADMIN_CLIENT_ID: "sluice-sync", KEYCLOAK_ADMIN_CLIENT_SECRET: secrets.KEYCLOAK_SYNC_CLIENT_SECRET ?? "", KEYCLOAK_ADMIN_REALM: realm.name });
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/role view-\w+ of the client realm-management/);
  });

  it("an administrator of the clients, the realm and its people is enough", async () => {
    const [management] = (await realm.admin("GET", "/clients?clientId=realm-management")) as Client[];
    const roles = (await realm.admin("GET", `/clients/${management?.id}/roles`)) as { name: string }[];
    await realm.admin("POST", "/clients", { clientId: "caretaker", publicClient: false, secret: "caretaker-secret", serviceAccountsEnabled: true, standardFlowEnabled: false });
    const account = (await realm.admin("GET", `/clients/${(await clientNamed("caretaker"))?.id}/service-account-user`)) as { id: string };
    await realm.admin("POST", `/users/${account.id}/role-mappings/clients/${management?.id}`, roles.filter((r) => ["manage-clients", "manage-realm", "manage-users"].includes(r.name)));
    const caretaker = { KEYCLOAK_ADMIN_CLIENT_ID: "caretaker", KEYCLOAK_ADMIN_CLIENT_SECRET: "caretaker-secret", KEYCLOAK_ADMIN_REALM: realm.name };
    await realm.admin("DELETE", `/clients/${(await clientNamed("sluice-sync"))?.id}`);
    const told = await setup(["--apply", "--secrets-out", join(folder, "caretaker.env")], caretaker);
    expect(told.out).toMatch(/done: 1 created, 0 changed/);
    expect(readFileSync(join(folder, "caretaker.env"), "utf8")).toMatch(/^KEYCLOAK_SYNC_CLIENT_ID=sluice-sync\nKEYCLOAK_SYNC_CLIENT_SECRET=.+\n$/);
    expect((await setup([], caretaker)).out).toMatch(/\nnothing to do/);
  });

  it("a token from standard input is taken", async () => {
    expect((await setup(["--token-from-stdin"], {}, await adminToken(realm.base))).out).toMatch(/\nnothing to do/);
    expect(await setup(["--token-from-stdin"], {}, "not-a-token")).toMatchObject({ code: 1, out: expect.stringContaining("does not accept this administrator's token") });
  });
});
