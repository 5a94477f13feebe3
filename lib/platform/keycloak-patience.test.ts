import { createServer, type ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listenOnLoopback } from "@/dev/lib/calls";
import { setEnv } from "./env";
import { forgetKeycloak } from "./keycloak";
import { unlessFrozen } from "./keycloak-patience";

/** How often something was asked beside the work, and what becomes of it. */
let asked: (res: ServerResponse) => void = () => undefined;
const server = createServer((_req, res) => asked(res));
beforeAll(async () => {
  process.env.KEYCLOAK_ISSUER = `http://localhost:${await listenOnLoopback(server)}/realms/patience`;
  setEnv(undefined);
  forgetKeycloak();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it("a caller leaves a frozen Keycloak within 3 s, and the work goes on", async () => {
  asked = () => undefined;
  let finish: (value: string) => void = () => undefined;
  const work = new Promise<string>((resolve) => { finish = resolve; });
  const from = performance.now();
  await expect(unlessFrozen(work)).rejects.toMatchObject({ kind: "unavailable", code: "identity_unavailable" });
  expect(performance.now() - from).toBeLessThan(3000);
  finish("kept");
  expect(await work).toBe("kept");
});

it("a caller waits longer than 3 s for a token endpoint that is slow while Keycloak answers", async () => {
  let looks = 0;
  const from = performance.now();
  const work = new Promise<string>((resolve) => {
    asked = (res) => {
      looks += 1;
      res.end("{}");
      if (looks === 2) resolve("late");
    };
  });
  expect(await unlessFrozen(work)).toBe("late");
  expect(performance.now() - from).toBeGreaterThan(2900);
});
