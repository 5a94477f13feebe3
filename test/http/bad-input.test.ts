import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, eachDoor, keyOf, revoke, tokensOf } from "./client";

let token: string;
let own: { id: string; key: string };
beforeAll(async () => {
  token = (await tokensOf("uma")).access_token;
  own = await keyOf("uma", { permissions: ["write", "api-keys:create", "api-keys:manage"] });
});
afterAll(() => revoke("uma", own.id));

const json = { "content-type": "application/json" };
const deep = "[".repeat(100_000) + "]".repeat(100_000);

describe.each(eachDoor)("bad input at the $name door", ({ name, url }) => {
  const post = (raw: string | Uint8Array, headers: Record<string, string> = json) => call(url, "POST", "/api/v1/auth/api-keys", { bearer: token, raw, headers });
  const count = async () => (await call(url, "GET", "/api/v1/auth/api-keys?limit=100", { bearer: token })).json.data.length;

  it.each([
    ["half an object", '{"name":', 400, "malformed_json"],
    ["no JSON at all", "name=x", 400, "malformed_json"],
    ["an empty body", "", 400, "malformed_json"],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 400, "malformed_json"],
    ["an array", "[]", 422, "validation_failed"],
    ["null", "null", 422, "validation_failed"],
    ["a number", "17", 422, "validation_failed"],
    ["a wrong type", '{"name":17}', 422, "validation_failed"],
    ["a missing field", "{}", 422, "validation_failed"],
    ["an empty name", '{"name":"  "}', 422, "validation_failed"],
    ["a name of 101 characters", JSON.stringify({ name: "x".repeat(101) }), 422, "validation_failed"],
    ["a null byte", '{"name":"a\\u0000b"}', 422, "validation_failed"],
    ["half a character", '{"name":"a\\ud800b"}', 422, "validation_failed"],
    ["a field named by half a character", '{"name":"x","\\ud800":1}', 422, "validation_failed"],
    ["an unknown field", '{"name":"x","isAdmin":true}', 422, "validation_failed"],
    ["a range that is none", '{"name":"x","allowedIps":["10.0.0.0/33"]}', 422, "validation_failed"],
    ["a list of no chatflow", '{"name":"x","chatflowIds":[]}', 422, "validation_failed"],
    ["a chatflow that is no id", '{"name":"x","chatflowIds":["support"]}', 422, "validation_failed"],
    ["another's user id", '{"name":"x","userId":"00000000-0000-4000-8000-000000000000"}', 422, "validation_failed"],
    ["__proto__", '{"name":"x","__proto__":{"permissions":["*"]}}', 422, "validation_failed"],
    ["constructor", '{"name":"x","constructor":{"prototype":{}}}', 422, "validation_failed"],
    ["deep nesting", `{"name":${deep}}`, 422, "validation_failed"],
    ["an unknown permission", '{"name":"x","permissions":["ai:fly"]}', 422, "validation_failed"],
    ["no permission", '{"name":"x","permissions":[]}', 422, "validation_failed"],
    ["a limit of nothing", '{"name":"x","rateLimit":{"requests":0,"window":60}}', 422, "validation_failed"],
    ["a fraction", '{"name":"x","rateLimit":{"requests":1.5,"window":60}}', 422, "validation_failed"],
    ["too long a window", '{"name":"x","rateLimit":{"requests":1,"window":2592001}}', 422, "validation_failed"],
    ["an expiry in the past", '{"name":"x","expiresAt":"2020-01-01T00:00:00Z"}', 422, "validation_failed"],
    ["no date", '{"name":"x","expiresAt":"tomorrow"}', 422, "validation_failed"],
    ["two expiries", '{"name":"x","expiresIn":60,"expiresAt":"2099-01-01T00:00:00Z"}', 422, "validation_failed"],
  ])("%s is a clear refusal and changes nothing", async (_name, raw, status, code) => {
    const before = await count();
    const answer = await post(raw);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    if (status === 422) {
      expect(answer.json.errors.length).toBeGreaterThan(0);
      expect(answer.json.errors[0]).toEqual({ pointer: expect.any(String), detail: expect.any(String) });
    }
    expect(await count()).toBe(before);
  });

  it("each fault is pointed at", async () => {
    const answer = await post('{"name":"","rateLimit":{"requests":0,"window":0},"permissions":["read","ai:fly"],"more":1}');
    expect(answer.json.errors.map((e: { pointer: string }) => e.pointer).sort()).toEqual(["/more", "/name", "/permissions/1", "/rateLimit/requests", "/rateLimit/window"]);
  });

  it("other media types are refused", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"]) {
      const answer = await post('{"name":"x"}', { "content-type": type });
      expect([answer.status, answer.json.code], type).toEqual([415, "unsupported_media_type"]);
    }
    expect((await post('{"name":17}', { "content-type": "application/json; charset=utf-8" })).status).toBe(422);
  });

  it("a body over the limit is refused, declared or not, without reading on", async () => {
    const big = JSON.stringify({ name: "x".repeat(1_100_000) });
    const declared = await post(big);
    expect([declared.status, declared.json.code]).toEqual([413, "body_too_large"]);
    const stream = new ReadableStream({ start(controller) { for (let i = 0; i < 20; i++) controller.enqueue(new TextEncoder().encode("x".repeat(100_000))); controller.close(); } });
    const answer = await fetch(`${url}/api/v1/auth/api-keys`, { method: "POST", headers: { ...json, authorization: `Bearer ${token}` }, body: stream, duplex: "half" } as RequestInit).catch((error: unknown) => error);
    // The server may hang up while the caller still sends: both show that nobody read on.
    if (answer instanceof Response) expect(answer.status).toBe(413);
  });

  it("uploads may ride in a prediction beyond the usual limit of a body", async () => {
    const question = { chatflow_id: "x", question: "q", uploads: [{ type: "file", name: "a.txt", mime: "text/plain", data: `data:text/plain;base64,${"QUFB".repeat(600_000)}` }] };
    expect((await call(url, "POST", "/api/v1/chat/predict", { bearer: token, body: question })).status).toBe(404);
  });

  it("unknown addresses are 404, known ones with another method 405 with Allow", async () => {
    expect((await call(url, "GET", "/api/v1/nothing", { bearer: token })).json.code).toBe("not_found");
    const wrong = await call(url, "PUT", "/api/v1/auth/api-keys", { bearer: token });
    expect([wrong.status, wrong.json.code]).toEqual([405, "method_not_allowed"]);
    expect(wrong.headers.get("allow")).toMatch(/GET.*POST|POST.*GET/);
  });

  it("hostile paths and queries are 4xx", async () => {
    for (const path of ["/api/v1/auth/api-keys/%00", "/api/v1/auth/api-keys?q=%00", "/api/v1/auth/api-keys?limit=0", "/api/v1/auth/api-keys?limit=101", "/api/v1/auth/api-keys?limit=x", "/api/v1/auth/api-keys?cursor=zzz", "/api/v1/auth/api-keys?unknown=1", "/api/v1/auth/api-keys?status=odd", "/api/v1/auth/api-keys/..%2f..%2fadmin",
      // Next.js itself fails on broken escapes before any of our code runs; our own door never lets them get there.
      ...(name === "own" ? ["/api/v1/auth/api-keys/%E0%A4%A", "/%E0%A4%A", "/chatflows/%"] : [])]) {
      const answer = await call(url, "GET", path, { bearer: token });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(answer.status, path).toBeLessThan(500);
    }
  });

  it("headers that are no credentials are 401, not 500", async () => {
    for (const authorization of ["Basic dTpw", "Bearer", "Bearer a b", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.x"]) {
      const answer = await call(url, "GET", "/api/v1/auth/me", { headers: { authorization } });
      expect([answer.status, answer.json.code], authorization).toEqual([401, "invalid_credentials"]);
    }
  });

  it("the engines' doors judge what they read: types yes, unknown fields no, and nothing is spent", async () => {
    const flows = (await call(url, "GET", "/api/v1/chatflows", { key: own.key })).json as unknown as { id: string }[];
    const id = flows[0]?.id ?? "";
    const bodies: [string, unknown][] = [
      ["/api/v1/chat/predict", { chatflow_id: id, question: 17 }], ["/api/v1/chat/predict", { question: "x" }], ["/api/v1/chat/predict", { chatflow_id: id, question: "x", history: "no" }],
      [`/api/v1/prediction/${id}`, { question: "x", chatId: 17 }], [`/api/v1/prediction/${id}`, { question: { a: 1 } }], [`/api/v1/prediction/${id}`, { question: "a\0b" }],
      ["/api/v1/nflow/builder/apps", { name: "UPPER CASE", displayName: "x" }], ["/api/v1/nflow/builder/apps", { name: "x", unknown: true }], ["/api/v1/nflow/builder/apps/remove", { names: "all" }],
    ];
    for (const [path, body] of bodies) {
      const answer = await call(url, "POST", path, { key: own.key, body });
      expect([answer.status, answer.json.code], JSON.stringify(body)).toEqual([422, "validation_failed"]);
    }
  });

  it("an id that cannot be one is 404 at any length", async () => {
    for (const id of ["x", "x".repeat(300), "00000000-0000-0000-0000-00000000000g", "a%20b"]) {
      for (const path of [`/api/v1/auth/api-keys/${id}`, `/api/v1/auth/api-keys/${id}/usage`, `/api/v1/chatflows/${id}`, `/api/v1/decisions/${id}`]) {
        const answer = await call(url, "GET", path, { key: own.key });
        expect([answer.status, answer.json.code], path).toEqual([404, "not_found"]);
      }
    }
  });

  it("a caller that cannot take the answer is told with 406, and nothing is done", async () => {
    const before = await count();
    const wants = (accept: string, path = "/api/v1/auth/api-keys") => call(url, "POST", path, { bearer: token, headers: { accept }, body: { name: "406" } });
    for (const accept of ["text/html", "application/xml, image/*", "application/json;q=0"]) expect((await wants(accept)).json, accept).toMatchObject({ status: 406, code: "not_acceptable" });
    expect(await count()).toBe(before);
    expect((await call(url, "GET", "/api/v1/auth/me", { key: own.key, headers: { accept: "application/*" } })).status).toBe(200);
    expect((await wants("text/event-stream", "/api/v1/chat/predict/stream")).status).toBe(422);
  });

  it("an idempotency key that is none is refused, and nothing is done", async () => {
    const before = await count();
    for (const wrong of ["two words", "x".repeat(256), "caf\u00e9"]) {
      const answer = await call(url, "POST", "/api/v1/auth/api-keys", { bearer: token, headers: { "idempotency-key": wrong }, body: { name: "once" } });
      expect([answer.status, answer.json.errors[0].pointer], wrong).toEqual([422, "/header/Idempotency-Key"]);
    }
    expect(await count()).toBe(before);
  });

  it("the caller's request id comes back when it is harmless, else a new one", async () => {
    expect((await call(url, "GET", "/api/v1/auth/me", { headers: { "x-request-id": "abc.DEF_1-2" } })).headers.get("x-request-id")).toBe("abc.DEF_1-2");
    const replaced = await call(url, "GET", "/api/v1/auth/me", { headers: { "x-request-id": "a b<script>" } });
    expect(replaced.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(replaced.json.requestId).toBe(replaced.headers.get("x-request-id"));
  });
});
