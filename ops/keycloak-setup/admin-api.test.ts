import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { z } from "zod";
import { AdminApi } from "./admin-api";
import { SetupError } from "./options";

type Reply = { status: number; body: string };
let server: Server | undefined;
afterEach(() => server?.close());

/** An admin API that answers every path below the realm with `reply`, and notes what it was asked. */
async function apiThatSays(reply: Reply, login: Reply = { status: 200, body: '{"access_token":"admin-token","expires_in":300}' }) {
  const asked: string[] = [];
  server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    const { status, body } = req.url?.startsWith("/admin") ? reply : login;
    res.writeHead(status, { "content-type": body.startsWith("<") ? "text/html" : "application/json" }).end(body);
  });
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", () => done()));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, api: new AdminApi(base, "acme", { realm: "master", username: "root", password: "pass-word-1" }, null) };
}

it.each([
  ["the role that is lacking to read", { status: 403, body: '{"error":"HTTP 403 Forbidden"}' }, "GET", "/clients?clientId=x", /view-clients.*acme-realm/],
  ["the role that is lacking to write", { status: 403, body: '{"error":"HTTP 403 Forbidden"}' }, "POST", "/roles", /manage-realm/],
  ["the role that is lacking for an account", { status: 403, body: '{"error":"HTTP 403 Forbidden"}' }, "POST", "/users/1/role-mappings/clients/2", /manage-users/],
  ["an address where no admin API is", { status: 404, body: "<html></html>" }, "GET", "/clients", /correct KEYCLOAK_ADMIN_URL/],
  ["Keycloak's own words", { status: 409, body: '{"errorMessage":"Client sluice-web already exists"}' }, "POST", "/clients", /409 .*already exists/],
  ["an answer of another shape", { status: 200, body: '{"clients":[]}' }, "GET", "/clients", /not what its API promises/],
] as const)("tells %s", async (_what, reply, method, path, words) => {
  const { api } = await apiThatSays(reply);
  const attempt = method === "GET" ? api.get(path, z.array(z.string())) : api.write(method, path, {});
  await expect(attempt).rejects.toThrow(words);
  await expect(attempt).rejects.toBeInstanceOf(SetupError);
});

it("takes Keycloak's own 404 for nothing there", async () => {
  const { api } = await apiThatSays({ status: 404, body: '{"error":"Could not find role"}' });
  expect(await api.get("/roles/x", z.unknown())).toBeNull();
});

it("signs in once, and again before its token ends", async () => {
  const logins = (asked: string[]) => asked.filter((a) => a.startsWith("POST /realms/master")).length;
  const lasting = await apiThatSays({ status: 200, body: "[]" });
  await lasting.api.get("/roles", z.unknown());
  await lasting.api.get("/roles", z.unknown());
  expect(logins(lasting.asked)).toBe(1);
  server?.close();
  const short = await apiThatSays({ status: 200, body: "[]" }, { status: 200, body: '{"access_token":"t","expires_in":10}' });
  await short.api.get("/roles", z.unknown());
  await short.api.get("/roles", z.unknown());
  expect(logins(short.asked)).toBe(2);
});

it("an administrator who is refused hears why, and the password is in no error", async () => {
  const { api } = await apiThatSays({ status: 200, body: "[]" }, { status: 401, body: '{"error":"invalid_grant","error_description":"Invalid user credentials"}' });
  const error = await api.get("", z.unknown()).catch((e: unknown) => e);
  expect(String(error)).toMatch(/refuses the administrator's name or password.*Invalid user credentials/);
  expect(String(error)).not.toContain("pass-word-1");
});
