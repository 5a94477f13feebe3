import { expect, it } from "vitest";
import { createApi } from "./app";

const ask = (path: string) => createApi().request(path, { method: "OPTIONS" });

it("OPTIONS says which methods an address answers, to anybody", async () => {
  const me = await ask("/api/v1/auth/me");
  expect([me.status, me.headers.get("allow"), await me.text()]).toEqual([204, "GET, HEAD, OPTIONS", ""]);
  expect((await ask("/api/v1/auth/api-keys/x")).headers.get("allow")?.split(", ").sort()).toEqual(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"]);
  expect((await ask("/api/v1/nowhere")).status).toBe(404);
});
