import Ajv from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { beforeAll, expect, it } from "vitest";
import { call, demo, doors, keyOf, revoke, signIn } from "./client";

type Content = Record<string, { schema?: object } | undefined>;
type Operation = { responses: Record<string, { content?: Content }> };
type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, object> } };

let document: Document;
let ajv: Ajv;
let cookie = "";
/** What stands for an id in an address. */
let ids: Record<string, string> = {};
const of = (path: string, name: string) => (path.includes("/chatflows") ? ids.flow : path.includes("/users/") ? ids.user : path.includes("/tenants/") ? ids.tenant : path.includes("/plans/") ? ids.plan : path.includes("/decisions/") ? ids.request : path.includes("/nflow/") ? ids.app : ids[name] ?? ids.key) ?? "";

beforeAll(async () => {
  document = (await call(doors.own, "GET", "/api/openapi.json")).json as Document;
  // Formats are checked, and what only a document has (examples, `x-` members) is let be.
  ajv = new Ajv({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ $id: "document", components: document.components });
  cookie = (await signIn("ada")).cookies(demo.url);
  const own = async (path: string) => (await call(doors.own, "GET", path, { cookie })).json;
  const { id: key, key: secret } = await keyOf("ada", { permissions: ["read"] });
  const refused = await call(doors.own, "POST", "/api/v1/auth/api-keys", { key: secret, body: { name: "x" } });
  const me = (await own("/api/v1/auth/me")).data;
  ids = { key, user: me.id, tenant: me.tenantId, flow: (await own("/api/v1/chatflows"))[0].id, plan: (await own("/api/admin/plans")).data[0].id, request: refused.headers.get("x-request-id") ?? "", app: "nothing", code: "x" };
  return () => revoke("ada", key);
});

/** The schema of an answer as the document has it, its references pointing into the document. */
function faultsOf(operation: Operation, status: number, type: string, body: unknown): string[] {
  const described = operation.responses[status] ?? operation.responses.default;
  const schema = described?.content?.[type]?.schema;
  if (!schema) return [`${status} ${type} is not described`];
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll("#/components/", "document#/components/")) as object);
  return validate(body) ? [] : (validate.errors ?? []).slice(0, 3).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

it("every GET answers what the document says, and refuses strangers with the problem that it describes", async () => {
  await expect.poll(async () => (await call(doors.own, "GET", `/api/v1/decisions/${ids.request}`, { cookie })).status, { timeout: 20_000 }).toBe(200);
  const faults: string[] = [];
  let described = 0;
  for (const [path, methods] of Object.entries(document.paths)) {
    const { get } = methods;
    if (!get) continue;
    const address = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(of(path, name)));
    for (const who of [{ cookie }, {}]) {
      const answer = await call(doors.own, "GET", address, who);
      const type = (answer.headers.get("content-type") ?? "").split(";")[0] ?? "";
      if (!/json$/.test(type)) continue;
      described += answer.status === 200 ? 1 : 0;
      faults.push(...faultsOf(get, answer.status, type, answer.json).map((fault) => `GET ${address} ${answer.status}: ${fault}`));
      if (answer.status >= 500) faults.push(`GET ${address}: ${answer.status}`);
    }
  }
  expect(faults).toEqual([]);
  expect(described).toBeGreaterThan(30);
});
