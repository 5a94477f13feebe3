import { bootstrapAdmin } from "./launch";

type Answer = { status: number; json: unknown; location: string | null };

/** The admin API of a test's own Keycloak, as the administrator of `master`. */
export class KeycloakAdmin {
  private token = "";
  private tokenEndsAt = 0;

  constructor(public base: string, readonly realm: string) {}

  /** From now on by another address. Keycloak makes its issuer of it, in the tokens that an administrator's act sends out too. */
  moveTo(origin: string): void {
    this.base = origin;
    this.tokenEndsAt = 0;
  }

  /** @param path below `/admin/realms`. @throws Error for any answer that is not 2xx or in `also`. */
  async call(method: string, path: string, body?: unknown, also: number[] = []): Promise<Answer> {
    if (Date.now() > this.tokenEndsAt) await this.login();
    const response = await fetch(`${this.base}/admin/realms${path}`, { method, headers: { authorization: `Bearer ${this.token}`, ...(body !== undefined && { "content-type": "application/json" }) }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok && !also.includes(response.status)) throw new Error(`Keycloak: ${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return { status: response.status, json: text && response.headers.get("content-type")?.includes("json") ? (JSON.parse(text) as unknown) : null, location: response.headers.get("location") };
  }

  /** Within the realm. */
  async of<T>(method: string, path: string, body?: unknown, also: number[] = []): Promise<T> {
    return (await this.call(method, `/${this.realm}${path}`, body, also)).json as T;
  }

  async userId(username: string): Promise<string | undefined> {
    const found = await this.of<{ id: string }[]>("GET", `/users?exact=true&username=${encodeURIComponent(username)}`);
    return found[0]?.id;
  }

  async clientUuid(clientId: string): Promise<string> {
    const [client] = await this.of<{ id: string }[]>("GET", `/clients?clientId=${encodeURIComponent(clientId)}`);
    if (!client) throw new Error(`Keycloak: no client ${clientId}`);
    return client.id;
  }

  private async login(): Promise<void> {
    const response = await fetch(`${this.base}/realms/master/protocol/openid-connect/token`, { method: "POST", body: new URLSearchParams({ grant_type: "password", client_id: "admin-cli", ...bootstrapAdmin }) });
    if (!response.ok) throw new Error(`Keycloak: the administrator cannot sign in: ${response.status}`);
    const { access_token, expires_in } = (await response.json()) as { access_token: string; expires_in: number };
    this.token = access_token;
    this.tokenEndsAt = Date.now() + (expires_in - 10) * 1000;
  }
}
