import type { PresentClient, Present } from "./present";
import { createClient, reviewClient } from "./plan-client";
import { recommendations } from "./realm-settings";
import type { Step } from "./step";
import type { Wanted } from "./wanted";

/** Everything that stands between the realm and what Sluice needs, in the order in which it is to be done. Pure. */
export function plan(present: Present, wanted: Wanted): Step[] {
  return [
    ...wanted.roles.map((role) => planRole(role, present)),
    // Before our clients, whose tokens name them.
    ...wanted.audiences.map((clientId) => planAudience(clientId, present.clients[clientId])),
    ...wanted.clients.flatMap((client) => {
      const found = present.clients[client.clientId];
      return found ? reviewClient(found, client, present.scopes) : createClient(client, present.scopes);
    }),
    ...planRealm(present, wanted),
  ];
}

function planRole(role: string, present: Present): Step {
  const what = `realm role ${role}`;
  if (present.roles.includes(role)) return { verdict: "leave", what, why: "exists" };
  return { verdict: "create", what, changes: [], deeds: [{ do: "create-role", role }] };
}

/** An engine's client is the operator's: it may serve the engine's own sign-in. It has to exist, no more. */
function planAudience(clientId: string, found: PresentClient | undefined): Step {
  const what = `audience client ${clientId}`;
  if (!found) {
    const representation = { clientId, name: clientId, description: "An audience of Sluice's tokens", enabled: true, protocol: "openid-connect", bearerOnly: true, publicClient: false, standardFlowEnabled: false, implicitFlowEnabled: false, directAccessGrantsEnabled: false, serviceAccountsEnabled: false, fullScopeAllowed: false };
    return { verdict: "create", what, changes: [{ field: "bearerOnly", from: "", to: "true" }], deeds: [{ do: "create-client", clientId, representation, secretOf: null }] };
  }
  if (found.client.enabled === false) return { verdict: "look", what, why: "is disabled: token exchange for it will be refused" };
  return { verdict: "leave", what, why: "exists; what it is set to is yours" };
}

function planRealm({ realm, version, scopes, offlineForAll }: Present, wanted: Wanted): Step[] {
  const steps: Step[] = [];
  const look = (what: string, why: string) => void steps.push({ verdict: "look", what, why });
  if (version === null) look("Keycloak's version", "could not be seen by this administrator; 26.2 or newer is needed");
  if (realm.enabled === false) look("the realm", "is disabled: nobody can sign in");
  if (realm.enabled === undefined) look("realm settings", "could not be seen by this administrator (role view-realm)");
  if (offlineForAll === false) look("default roles", "offline_access is not among them: only people who have that role can give machine access");
  if (wanted.organizations && !scopes.includes("organization")) look("organizations", "the realm has no client scope `organization`: Keycloak makes it when the feature is on");
  const changes = recommendations(realm).map((r) => ({ setting: r.setting as string, from: String(r.from), to: r.to, why: r.why }));
  if (wanted.organizations && realm.organizationsEnabled === false) changes.push({ setting: "organizationsEnabled", from: "false", to: true, why: "without it no token names an organization; it turns the sign-in into two pages" });
  if (!wanted.realmSettings) {
    for (const c of changes) look(`realm setting ${c.setting}`, `is ${c.from}, recommended ${c.to}: ${c.why} (--realm-settings changes it)`);
  } else if (changes.length > 0) {
    steps.push({
      verdict: "change", what: "realm settings", changes: changes.map((c) => ({ field: c.setting, from: c.from, to: String(c.to) })),
      deeds: [{ do: "update-realm", settings: Object.fromEntries(changes.map((c) => [c.setting, c.to])) }],
    });
  }
  return steps;
}
