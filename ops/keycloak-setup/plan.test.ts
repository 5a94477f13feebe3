import { describe, expect, it } from "vitest";
import { readOptions } from "./options";
import { plan } from "./plan";
import type { Present, PresentClient } from "./present";
import { Client } from "./representations";
import { describe as lines, summary } from "./report";
import type { Deed, Step } from "./step";
import { wantedFor } from "./wanted";

const settings = { AUTH_URL: "https://sluice.test", KEYCLOAK_ISSUER: "https://id.test/realms/acme" };
const wantedBy = (...args: string[]) => wantedFor(readOptions(args, settings));
const scopes = ["basic", "acr", "roles", "profile", "email", "organization", "offline_access"];
const goodRealm = { realm: "acme", enabled: true, accessTokenLifespan: 300, ssoSessionIdleTimeout: 1800, ssoSessionMaxLifespan: 36_000, revokeRefreshToken: false, refreshTokenMaxReuse: 0, offlineSessionMaxLifespanEnabled: true, offlineSessionMaxLifespan: 7_776_000, organizationsEnabled: false };
const blank = (more: Partial<Present> = {}): Present => ({ version: "26.7.3", realm: goodRealm, roles: [], scopes, clients: {}, offlineForAll: true, ...more });

const deedsOf = (steps: Step[]): Deed[] => steps.flatMap((step) => ("deeds" in step ? step.deeds : []));
const looksOf = (steps: Step[]) => steps.flatMap((step) => (step.verdict === "look" ? [`${step.what}: ${step.why}`] : []));

/** The realm as it is once every deed of a plan has been done. */
function after(present: Present, steps: Step[]): Present {
  const next = structuredClone(present);
  for (const deed of deedsOf(steps)) {
    if (deed.do === "create-role") next.roles.push(deed.role);
    if (deed.do === "create-client") next.clients[deed.clientId] = { client: Client.parse({ id: deed.clientId, ...deed.representation }), scopeRoles: [], serviceRoles: [], scopeServiceRoles: [] };
    if (deed.do === "update-realm") Object.assign(next.realm, deed.settings);
    const found = "clientId" in deed ? next.clients[deed.clientId] : undefined;
    if (!found) continue;
    if (deed.do === "update-client") Object.assign(found.client, deed.fields, { attributes: { ...found.client.attributes, ...deed.attributes } });
    if (deed.do === "allow-roles") found.scopeRoles.push(...deed.roles);
    if (deed.do === "give-service-roles") found.serviceRoles.push(...deed.roles);
    if (deed.do === "allow-service-roles") found.scopeServiceRoles.push(...deed.roles);
    if (deed.do === "add-scope") {
      found.client.optionalClientScopes = found.client.optionalClientScopes.filter((s) => s !== deed.scope);
      (deed.as === "default" ? found.client.defaultClientScopes : found.client.optionalClientScopes).push(deed.scope);
    }
    if (deed.do === "add-mapper") found.client.protocolMappers.push(deed.mapper);
    if (deed.do === "update-mapper") found.client.protocolMappers = found.client.protocolMappers.map((m) => (m.name === deed.mapper.name ? deed.mapper : m));
  }
  return next;
}

const prepared = (...args: string[]) => after(blank(), plan(blank(), wantedBy(...args)));

/** A prepared realm in which somebody changed one client. */
function touched(clientId: string, touch: (found: PresentClient) => void, ...args: string[]): Present {
  const present = prepared(...args);
  const found = present.clients[clientId];
  if (!found) throw new Error(`no client ${clientId}`);
  touch(found);
  return present;
}

const representationOf = (steps: Step[], clientId: string) => deedsOf(steps).flatMap((deed) => (deed.do === "create-client" && deed.clientId === clientId ? [deed.representation] : []))[0];

describe("a blank realm", () => {
  const steps = plan(blank(), wantedBy("--direct"));

  it("gets roles first, then audiences, then our clients, whose tokens name both", () => {
    const order = deedsOf(steps).flatMap((deed) => (deed.do === "create-role" ? [deed.role] : deed.do === "create-client" ? [deed.clientId] : []));
    expect(order).toEqual(["admin", "user", "viewer", "nflow", "flowise", "sluice-web", "sluice-machine", "sluice-direct", "sluice-sync"]);
  });

  it("gets exact redirect addresses, PKCE, and lasting access only where it belongs", () => {
    expect(representationOf(steps, "sluice-web")).toMatchObject({
      redirectUris: ["https://sluice.test/api/auth/callback/keycloak"], fullScopeAllowed: false, optionalClientScopes: [],
      attributes: { "pkce.code.challenge.method": "S256", "post.logout.redirect.uris": "https://sluice.test/signed-out", "backchannel.logout.url": "https://sluice.test/api/auth/backchannel-logout", "backchannel.logout.session.required": "true", "backchannel.logout.revoke.offline.tokens": "false", "standard.token.exchange.enabled": "true", "client.use.lightweight.access.token.enabled": "false" },
    });
    expect(representationOf(steps, "sluice-machine")).toMatchObject({ redirectUris: ["https://sluice.test/api/owner-grant/callback"], consentRequired: true, optionalClientScopes: ["offline_access"] });
    expect(representationOf(steps, "sluice-direct")).toMatchObject({ redirectUris: [], consentRequired: false, directAccessGrantsEnabled: true, standardFlowEnabled: false });
    expect(representationOf(steps, "nflow")).toMatchObject({ bearerOnly: true });
  });

  it("gives the sync's service account view-users and nothing else", () => {
    expect(deedsOf(steps).filter((d) => d.do === "give-service-roles" || d.do === "allow-service-roles")).toEqual([
      { do: "give-service-roles", clientId: "sluice-sync", roles: ["view-users"] }, { do: "allow-service-roles", clientId: "sluice-sync", roles: ["view-users"] },
    ]);
    expect(deedsOf(steps).some((d) => d.do === "allow-roles" && d.clientId === "sluice-sync")).toBe(false);
  });

  it("gets the client for passwords only when it is asked for", () => {
    expect(representationOf(plan(blank(), wantedBy()), "sluice-direct")).toBeUndefined();
    expect(representationOf(plan(blank(), wantedFor(readOptions([], { ...settings, PASSWORD_GRANT_ENABLED: "true" }))), "sluice-direct")).toBeDefined();
  });

  it("gets no scope that the realm lacks, and says so", () => {
    const present = blank({ scopes: scopes.filter((s) => s !== "basic") });
    const poor = plan(present, wantedBy());
    expect(representationOf(poor, "sluice-web")?.defaultClientScopes).toEqual(["acr", "roles", "profile", "email"]);
    expect(looksOf(poor).join()).toMatch(/sluice-web: the realm has no client scope basic/);
  });
});

describe("a prepared realm", () => {
  it.each([["--direct"], ["--tenants", "organizations"], ["--tenants", "none"]])("needs nothing more (%s %s)", (...args) => {
    const steps = plan(prepared(...args.filter(Boolean)), wantedBy(...args.filter(Boolean)));
    expect(deedsOf(steps)).toEqual([]);
    expect(summary(steps, false)).toMatch(/^nothing to do/);
  });

  it("keeps the operator's redirect addresses, adds ours, and tells of theirs", () => {
    const steps = plan(touched("sluice-web", ({ client }) => { client.redirectUris = ["https://old.test/*"]; }), wantedBy());
    expect(deedsOf(steps)).toEqual([{ do: "update-client", clientId: "sluice-web", attributes: {}, fields: { redirectUris: ["https://old.test/*", "https://sluice.test/api/auth/callback/keycloak"] } }]);
    expect(looksOf(steps)).toEqual([expect.stringMatching(/https:\/\/old\.test\/\* is not ours; kept, but an open end/)]);
  });

  it("keeps the operator's post-logout addresses, which share one attribute", () => {
    const steps = plan(touched("sluice-web", ({ client }) => { client.attributes["post.logout.redirect.uris"] = "https://old.test/bye"; }), wantedBy());
    expect(deedsOf(steps)).toEqual([{ do: "update-client", clientId: "sluice-web", fields: {}, attributes: { "post.logout.redirect.uris": "https://old.test/bye##https://sluice.test/signed-out" } }]);
  });

  it.each([["+", "+##https://sluice.test/signed-out"], ["-", "https://sluice.test/signed-out"]])("understands Keycloak's %s among post-logout addresses", (value, next) => {
    const steps = plan(touched("sluice-web", ({ client }) => { client.attributes["post.logout.redirect.uris"] = value; }), wantedBy());
    expect(deedsOf(steps)).toEqual([{ do: "update-client", clientId: "sluice-web", fields: {}, attributes: { "post.logout.redirect.uris": next } }]);
    expect(looksOf(steps)).toEqual([]);
  });

  it("does not narrow the sync's account where its scope is full", () => {
    const steps = plan(touched("sluice-sync", (found) => { found.client.fullScopeAllowed = true; found.scopeServiceRoles = []; }), wantedBy());
    expect(deedsOf(steps)).toEqual([]);
    const off = plan(touched("sluice-sync", (found) => { found.scopeServiceRoles = []; }), wantedBy());
    expect(deedsOf(off)).toEqual([{ do: "allow-service-roles", clientId: "sluice-sync", roles: ["view-users"] }]);
  });

  it("changes single fields, and shows old and new", () => {
    const steps = plan(touched("sluice-machine", ({ client }) => { client.consentRequired = false; client.attributes["pkce.code.challenge.method"] = ""; client.theirs = "kept"; }), wantedBy());
    expect(deedsOf(steps)).toEqual([{ do: "update-client", clientId: "sluice-machine", fields: { consentRequired: true }, attributes: { "pkce.code.challenge.method": "S256" } }]);
    expect(lines(steps).join("\n")).toMatch(/~ change {2}client sluice-machine\n +consentRequired +false → true\n +pkce\.code\.challenge\.method +S256/);
  });

  it("corrects a mapper that fills our claim under another name, and adds beside a name that is taken", () => {
    const renamed = plan(touched("sluice-web", ({ client }) => {
      client.protocolMappers = client.protocolMappers.map((m) => (m.name === "groups" ? { ...m, id: "m1", name: "their groups", config: { ...m.config, "full.path": "false", extra: "kept" } } : m));
    }), wantedBy());
    expect(deedsOf(renamed)).toEqual([{ do: "update-mapper", clientId: "sluice-web", mapper: expect.objectContaining({ id: "m1", name: "their groups", config: expect.objectContaining({ "full.path": "true", extra: "kept" }) }) }]);
    const taken = plan(touched("sluice-web", ({ client }) => {
      client.protocolMappers = client.protocolMappers.map((m) => (m.name === "groups" ? { ...m, protocolMapper: "oidc-hardcoded-claim-mapper" } : m));
    }), wantedBy());
    expect(deedsOf(taken)).toEqual([{ do: "add-mapper", clientId: "sluice-web", mapper: expect.objectContaining({ name: "sluice-groups", protocolMapper: "oidc-group-membership-mapper" }) }]);
  });

  it("makes a scope a default one where it was optional, and takes none away", () => {
    const steps = plan(touched("sluice-machine", ({ client }) => { client.defaultClientScopes = ["basic", "acr", "roles", "email"]; client.optionalClientScopes = ["profile", "offline_access", "phone"]; }), wantedBy());
    expect(deedsOf(steps)).toEqual([{ do: "add-scope", clientId: "sluice-machine", scope: "profile", as: "default", insteadOf: "optional" }]);
  });

  it("tells of rights beyond ours and takes none away", () => {
    const steps = plan(touched("sluice-sync", (found) => { found.serviceRoles.push("manage-users"); }), wantedBy());
    expect(deedsOf(steps)).toEqual([]);
    expect(looksOf(steps)).toEqual([expect.stringMatching(/service account role manage-users is not ours; kept/)]);
    const web = plan(touched("sluice-web", ({ client }) => { client.optionalClientScopes.push("offline_access"); }), wantedBy());
    expect([deedsOf(web), looksOf(web)]).toEqual([[], [expect.stringMatching(/may ask for offline_access/)]]);
  });

  it("leaves an engine's client as it is, and says when it is disabled", () => {
    const steps = plan(touched("nflow", ({ client }) => { client.bearerOnly = false; client.enabled = false; client.redirectUris = ["*"]; }), wantedBy());
    expect(deedsOf(steps)).toEqual([]);
    expect(looksOf(steps)).toEqual([expect.stringMatching(/audience client nflow: is disabled/)]);
  });
});

describe("settings of the realm", () => {
  const loose = { ...goodRealm, accessTokenLifespan: 3600, ssoSessionIdleTimeout: 60, revokeRefreshToken: true, offlineSessionMaxLifespanEnabled: false };

  it("are told of and left, unless they were asked for", () => {
    const present = { ...prepared(), realm: loose };
    const told = plan(present, wantedBy());
    expect(deedsOf(told)).toEqual([]);
    expect(looksOf(told).map((l) => l.split(":")[0])).toEqual(["realm setting accessTokenLifespan", "realm setting ssoSessionIdleTimeout", "realm setting refreshTokenMaxReuse", "realm setting offlineSessionMaxLifespanEnabled"]);
    expect(deedsOf(plan(present, wantedBy("--realm-settings")))).toEqual([{ do: "update-realm", settings: { accessTokenLifespan: 300, ssoSessionIdleTimeout: 1800, refreshTokenMaxReuse: 1, offlineSessionMaxLifespanEnabled: true } }]);
  });

  it("are not judged where they could not be seen", () => {
    const steps = plan({ ...prepared(), realm: { realm: "acme" }, version: null }, wantedBy("--realm-settings"));
    expect(deedsOf(steps)).toEqual([]);
    expect(looksOf(steps)).toEqual([expect.stringMatching(/version/), expect.stringMatching(/realm settings: could not be seen/)]);
  });

  it("turn organizations on only on request, since that changes everybody's sign-in", () => {
    expect(looksOf(plan(prepared("--tenants", "organizations"), wantedBy("--tenants", "organizations")))).toEqual([expect.stringMatching(/organizationsEnabled: is false, recommended true/)]);
    expect(deedsOf(plan(prepared("--tenants", "organizations"), wantedBy("--tenants", "organizations", "--realm-settings")))).toEqual([{ do: "update-realm", settings: { organizationsEnabled: true } }]);
  });

  it("tell when people could not give machine access", () => {
    expect(looksOf(plan({ ...prepared(), offlineForAll: false }, wantedBy()))).toEqual([expect.stringMatching(/offline_access is not among them/)]);
  });
});

describe("lightweight access tokens", () => {
  const attribute = "client.use.lightweight.access.token.enabled";
  it.each(["sluice-web", "sluice-machine", "sluice-direct"])("are turned off at %s, since they name nobody", (clientId) => {
    const present = touched(clientId, ({ client }) => { client.attributes[attribute] = "true"; }, "--direct");
    expect(deedsOf(plan(present, wantedBy("--direct")))).toEqual([{ do: "update-client", clientId, fields: {}, attributes: { [attribute]: "false" } }]);
  });
  it("cost no step where Keycloak left the attribute out", () => {
    const present = touched("sluice-web", ({ client }) => { delete client.attributes[attribute]; });
    expect(deedsOf(plan(present, wantedBy()))).toEqual([]);
  });
});
