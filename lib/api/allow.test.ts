import { describe, expect, it } from "vitest";
import { neededFor } from "@/lib/entry/api";
import { createApi } from "./app";

const api = createApi();

async function allowed(method: string, path: string): Promise<string[] | number> {
  const answer = await api.request(path, { method });
  return answer.status === 405 ? (answer.headers.get("allow")?.split(", ").sort() ?? []) : answer.status;
}

describe("a known address with another method", () => {
  it("names all methods that answer there, by a fixed path or by a pattern", async () => {
    expect(await allowed("PUT", "/api/v1/auth/api-keys/verify")).toEqual(["DELETE", "GET", "HEAD", "PATCH", "POST"]);
    expect(await allowed("PUT", "/api/v1/auth/api-keys/0196f0f0-0000-7000-8000-000000000000")).toEqual(["DELETE", "GET", "HEAD", "PATCH"]);
  });

  it.each(["/health", "/info", "/.well-known/jwks.json", "/api/_root/health", "/api/openapi.json", "/api/metrics", "/api/owner-grant/start", "/api/owner-grant/renew", "/api/owner-grant/callback", "/api/health/live"])("%s answers GET", async (path) => {
    expect(await allowed("POST", path)).toEqual(["GET", "HEAD"]);
    expect(neededFor("GET", path)).toEqual({});
  });

  it("is 404 where nothing answers, a dot being a dot", async () => {
    expect(await allowed("POST", "/api/nothing")).toBe(404);
    expect(await allowed("POST", "/api/openapi-json")).toBe(404);
  });
});
