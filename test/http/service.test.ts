import { describe, expect, it } from "vitest";
import { call, demo, eachDoor } from "./client";

describe.each(eachDoor)("the service at the $name door", ({ url }) => {
  it("says that it lives and that its parts answer", async () => {
    expect((await call(url, "GET", "/api/health/live")).json).toEqual({ status: "ok" });
    const ready = await call(url, "GET", "/api/health/ready");
    expect(ready.status).toBe(200);
    expect(ready.json).toMatchObject({ status: "ok", checks: { database: { status: "ok", ms: expect.any(Number) }, redis: { status: "ok" }, identity: { status: "ok" } } });
    expect((await call(url, "GET", "/health")).json.status).toBe("OK");
    expect((await call(url, "GET", "/info")).json).toMatchObject({ service_name: "sluice", version: expect.any(String), description: expect.any(String), dependencies: expect.any(Object) });
  });

  it("serves its OpenAPI document with every route, each operation with its refusals", async () => {
    const document = (await call(url, "GET", "/api/openapi.json")).json;
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining([
      "/api/v1/auth/me", "/api/v1/auth/api-keys", "/api/v1/auth/api-keys/{id}", "/api/v1/chatflows", "/api/v1/chat/predict", "/api/v1/chat/predict/stream", "/api/v1/chat/authenticate", "/api/v1/chat/refresh",
      "/api/v1/prediction/{id}", "/api/v1/chatflows-streaming/{id}", "/api/v1/nflow/builder/apps", "/api/v1/nflow/builder/apps/search", "/api/v1/nflow/builder/apps/remove", "/api/v1/nflow/builder/apps/{name}",
      "/api/admin/chatflows/sync", "/api/admin/chatflows/{id}/users/email/{email}", "/api/admin/users/{id}/credits", "/.well-known/jwks.json", "/api/health/live", "/api/health/ready", "/health", "/info",
    ]));
    const create = document.paths["/api/v1/auth/api-keys"].post;
    expect(create.requestBody.content["application/json"].schema).toBeTruthy();
    expect(create.responses.default.content["application/problem+json"]).toBeTruthy();
    expect(JSON.stringify(document)).not.toMatch(/slk_[0-9A-Za-z]{49}/);
  });

  it("every POST that creates or spends may be named by its caller; those that may not change nothing that a repetition would double, or give tokens", async () => {
    type Operation = { parameters?: { name: string; in: string }[] };
    const { paths } = (await call(url, "GET", "/api/openapi.json")).json as { paths: Record<string, { post?: Operation }> };
    const unnamed = Object.entries(paths).filter(([, { post }]) => post && !post.parameters?.some(({ name, in: place }) => name === "Idempotency-Key" && place === "header")).map(([path]) => path.replace("/api/v1/admin/", "/api/admin/"));
    expect([...new Set(unnamed)].sort()).toEqual([
      "/api/admin/chatflows/sync", "/api/admin/users/sync", "/api/admin/users/{id}/revoke", "/api/auth/backchannel-logout", "/api/v1/auth/api-keys/verify", "/api/v1/auth/token", "/api/v1/auth/token/refresh",
      "/api/v1/auth/token/revoke", "/api/v1/chat/authenticate", "/api/v1/chat/refresh", "/api/v1/chat/revoke", "/api/v1/decisions/what-if", "/api/v1/nflow/builder/apps/remove", "/api/v1/nflow/builder/apps/search",
    ]);
  });

  it("every answer carries the headers that the contract promises, and never X-Powered-By", async () => {
    for (const path of ["/api/health/live", "/api/v1/auth/me", "/api/v1/nothing"]) {
      const answer = await call(url, "GET", path);
      expect(answer.headers.get("x-content-type-options"), path).toBe("nosniff");
      expect(answer.headers.get("x-request-id"), path).toBeTruthy();
      expect(answer.headers.get("x-powered-by"), path).toBeNull();
    }
    expect((await call(url, "GET", "/api/v1/auth/me")).headers.get("cache-control")).toBe("no-store");
    expect((await call(url, "GET", "/api/v1/auth/me", { headers: { origin: "https://elsewhere.test" } })).headers.get("access-control-allow-origin")).toBeNull();
  });
});

it("a Host header moves nothing", async () => {
  const answer = await call(demo.url, "GET", "/api/v1/auth/me", { headers: { "x-forwarded-host": "evil.test", "x-forwarded-for": "10.9.8.7" } });
  expect(answer.json.type).toBe(`${demo.url}/docs/errors/missing_credentials`);
});
