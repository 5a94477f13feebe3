import { randomUUID } from "node:crypto";
import { afterEach, beforeAll, expect, it } from "vitest";
import { aPerson, contextOf } from "@/dev/testing/people";
import { createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { env, setEnv } from "@/lib/platform/env";
import { createApi } from "./app";

const api = createApi();
let key: string;
beforeAll(async () => {
  const person = await aPerson({ role: "admin" });
  key = (await createKey(contextOf(person), CreateKeyInput.parse({ name: "k", permissions: ["*"] }))).secret;
});
afterEach(() => setEnv(undefined));

async function pointersOf(answer: Response): Promise<unknown> {
  const { errors } = (await answer.json()) as { errors?: { pointer: string }[] };
  return [answer.status, errors?.map(({ pointer }) => pointer)];
}

it("a cursor that is not ours is pointed at where it stands, by every list", async () => {
  type Operation = { parameters?: { name: string; in: string }[] };
  const { paths = {} } = api.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "t", version: "1" } });
  const lists = Object.entries(paths as Record<string, { get?: Operation }>).filter(([, { get }]) => get?.parameters?.some(({ name }) => name === "cursor")).map(([path]) => path);
  expect(lists).toEqual(expect.arrayContaining(["/api/v1/auth/api-keys", "/api/v1/requests", "/api/v1/audit", "/api/admin/tenants", "/api/admin/plans", "/api/admin/users", "/api/admin/api-keys"]));
  for (const path of lists) {
    const answer = await api.request(`${path.replace(/\{[^}]+\}/g, () => randomUUID())}?cursor=zzz&limit=5`, { headers: { "x-api-key": key } });
    expect(await pointersOf(answer), path).toEqual([422, ["/query/cursor"]]);
  }
});

it("a life that is too long is pointed at in the field that asked for it", async () => {
  setEnv({ ...env(), API_KEY_MAX_LIFETIME_DAYS: 1 });
  const create = (body: object) => api.request("/api/v1/auth/api-keys", { method: "POST", headers: { "x-api-key": key, "content-type": "application/json" }, body: JSON.stringify({ name: "long", ...body }) });
  expect(await pointersOf(await create({ expiresIn: 200_000 }))).toEqual([422, ["/expiresIn"]]);
  expect(await pointersOf(await create({ expiresAt: new Date(Date.now() + 200_000_000).toISOString() }))).toEqual([422, ["/expiresAt"]]);
});
