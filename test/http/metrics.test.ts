import { afterAll, expect, it } from "vitest";
import { call, demo, doors, keyOf, resetParts, revoke, signIn } from "./client";
import { startReplica } from "./replica";

afterAll(resetParts);

const scrape = (url: string, token = demo.metricsToken) => call(url, "GET", "/api/metrics", { bearer: token });

/** The sum of all series of a metric whose labels are these. */
function sumOf(text: string, name: string, labels: Record<string, string> = {}): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`sluice_${name}{`) && Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

it("opens with the metrics token alone, and is closed where none is set or it can be guessed", async () => {
  expect((await scrape(doors.own)).headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const [url, token, code] of [[doors.own, "x".repeat(44), "invalid_credentials"], [doors.own, demo.adminToken, "invalid_credentials"], [doors.next, demo.adminToken, "invalid_credentials"]] as const) {
    expect((await scrape(url, token)).json.code).toBe(code);
  }
  expect((await call(doors.own, "GET", "/api/metrics")).json.code).toBe("missing_credentials");
  // The page process tells the door alone.
  expect((await call(doors.own, "GET", "/api/metrics", { headers: { "x-sluice-inner": "x".repeat(43) } })).status).toBe(401);
  for (const METRICS_TOKEN of ["", "short"]) {
    const closed = await startReplica({ METRICS_TOKEN });
    try {
      expect((await scrape(closed.url, METRICS_TOKEN || "x")).status).toBe(404);
    } finally {
      await closed.stop();
    }
  }
});

it("tells what both processes of the replica did: a sign-in is Next.js's, a key check the door's", async () => {
  const before = (await scrape(demo.url)).text;
  expect([sumOf(before, "process_up", { of: "door" }), sumOf(before, "process_up", { of: "pages" })]).toEqual([1, 1]);
  await signIn("vic");
  const { key, id } = await keyOf("uma");
  for (let i = 0; i < 5; i++) await call(demo.url, "GET", "/api/v1/auth/me", { key });
  await call(demo.url, "GET", "/api/v1/nflow/builder/apps/x", { key });
  await revoke("uma", id);
  await call(demo.url, "GET", "/api/v1/auth/me", { key });
  const after = (await scrape(demo.url)).text;
  const grown = (name: string, labels: Record<string, string>) => sumOf(after, name, labels) - sumOf(before, name, labels);
  expect(grown("redis_seconds_count", { process: "pages" })).toBeGreaterThanOrEqual(1);
  expect(grown("key_checks_total", { verdict: "admitted", process: "door" })).toBeGreaterThanOrEqual(5);
  expect(grown("key_checks_total", { verdict: "permission" })).toBeGreaterThanOrEqual(1);
  expect(grown("key_checks_total", { verdict: "revoked" })).toBe(1);
  expect(grown("http_requests_total", { door: "api", status: "2xx" })).toBeGreaterThanOrEqual(5);
  expect(sumOf(after, "sessions")).toBeGreaterThanOrEqual(0);
  expect(after).toMatch(/^sluice_clock_offset_seconds\{process="(door|pages)"\} -?\d/m);
  expect(after).toMatch(/^process_cpu_seconds_total/m);
});

it("names nobody: no id, name, address or secret is in a label", async () => {
  const { key, id } = await keyOf("uma");
  await call(demo.url, "GET", "/api/v1/auth/me", { key });
  const { text } = await scrape(demo.url);
  for (const private_ of [key, id, "uma", "acme", demo.metricsToken, demo.adminToken, "127.0.0.1", "localhost"]) expect(text).not.toContain(private_);
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-|eyJ|@/);
  expect(text.length).toBeLessThan(150_000);
  await revoke("uma", id);
});
