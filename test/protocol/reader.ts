import type { Answer, Party } from "./party";
import type { ProtocolRealm } from "./provider";

type Read = { status: number; body: unknown };

/** The admin API as `sluice-sync` sees it. Paths are below the realm. */
export function readerOf(realm: ProtocolRealm, party: Party) {
  const call = async (method: string, path: string, bearer?: unknown, body?: unknown): Promise<Read> => {
    const response = await fetch(`${realm.origin}/admin/realms/sluice${path}`, {
      method,
      headers: { ...(bearer === undefined ? {} : { authorization: `Bearer ${String(bearer)}` }), ...(body === undefined ? {} : { "content-type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text };
  };
  const service = (): Promise<Answer> => party.token("sluice-sync", { grant_type: "client_credentials" });
  return {
    call, service,
    get: async (path: string): Promise<Read> => call("GET", path, (await service()).body.access_token),
    send: async (method: string, path: string, body?: unknown): Promise<Read> => call(method, path, (await service()).body.access_token, body),
  };
}
