import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { env, setEnv } from "@/lib/platform/env";
import { forgetKeycloak } from "@/lib/platform/keycloak";

export type Entry = { id: string; username: string; enabled: boolean; role: string; group: string };

/** As much of Keycloak's admin API as a sync reads, over as many people as a test wants, and with faults at a certain page. */
export async function aLargeRealm(size: number) {
  const people: Entry[] = Array.from({ length: size }, (_, i) => ({ id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`, username: `p${String(i).padStart(6, "0")}`, enabled: true, role: "user", group: "/many" }));
  /** `page` is called before a page is answered: it may change people, or throw for a failing page. */
  const realm = { people, isGone: false, most: 0, page: (_first: number): void => undefined };
  const json = (res: ServerResponse, status: number, body: unknown) => void res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const shown = ({ id, username, enabled }: Entry) => ({ id, username, enabled, email: `${username}@many.test`, emailVerified: true, firstName: username });
  const find = (id: string) => realm.people.find((one) => one.id === id);

  function answer(req: IncomingMessage, res: ServerResponse): void {
    const url = new URL(req.url ?? "/", "http://localhost");
    const [, , , , kind, id, ...rest] = url.pathname.split("/");
    if (url.pathname.endsWith("/openid-configuration")) {
      const at = (path: string) => `${origin}${path}`;
      return json(res, 200, { issuer: at("/realms/large"), authorization_endpoint: at("/a"), token_endpoint: at("/token"), jwks_uri: at("/j"), revocation_endpoint: at("/r"), end_session_endpoint: at("/e") });
    }
    if (url.pathname === "/token") return json(res, 200, { access_token: "service", expires_in: 60 });
    if (realm.isGone) return json(res, 404, { error: "Realm not found." });
    if (kind !== "users") return json(res, 403, {});
    if (id === "count") return json(res, 200, realm.people.length);
    if (id === undefined) {
      const [first, max, enabled] = [Number(url.searchParams.get("first")), Number(url.searchParams.get("max")), url.searchParams.get("enabled")];
      try {
        if (enabled === null) realm.page(first);
      } catch {
        return json(res, 500, {});
      }
      realm.most = Math.max(realm.most, max);
      return json(res, 200, realm.people.filter((one) => enabled === null || one.enabled === (enabled === "true")).slice(first, first + max).map(shown));
    }
    const one = find(id);
    if (!one) return json(res, 404, { error: "User not found" });
    if (rest.length === 0) return json(res, 200, { ...shown(one), notBefore: 0 });
    return json(res, 200, rest[0] === "groups" ? [{ path: one.group }] : [{ name: one.role }]);
  }

  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "localhost", done));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  setEnv({ ...env(), KEYCLOAK_ISSUER: `${origin}/realms/large`, KEYCLOAK_SYNC_CLIENT_ID: "sluice-sync", KEYCLOAK_SYNC_CLIENT_SECRET: "sluice-sync-secret" });
  forgetKeycloak();
  return Object.assign(realm, {
    issuer: `${origin}/realms/large`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  });
}
