import { readFileSync } from "node:fs";
import { afterAll, expect, it, vi } from "vitest";

// Other files have counted in this process, and a process has one set of counters: here is a new one, and what the others hold stays theirs.
const holder = globalThis as { sluiceMetrics?: unknown };
const theirs = holder.sluiceMetrics;
holder.sluiceMetrics = undefined;
vi.resetModules();
const { metrics, readMetrics, renderMetrics } = await import("./metrics");
afterAll(() => { holder.sluiceMetrics = theirs; });

it("what is counted is told: each series by its labels, those of one label from the start at zero", async () => {
  metrics.refresh.inc({ result: "invalid_grant", reason: "stale", holder: "grant" });
  metrics.refresh.inc({ result: "invalid_grant", reason: "stale", holder: "grant" });
  metrics.keyChecks.cell({ verdict: "limited" }).count += 5;
  metrics.tokenEndpoint.observe(0.2, { grant: "exchange" });
  const { body } = await renderMetrics({ door: await readMetrics() });
  const lines = body.split("\n");
  expect(lines).toContain('sluice_refresh_total{result="invalid_grant",reason="stale",holder="grant",process="door"} 2');
  expect(lines).toContain('sluice_key_checks_total{verdict="limited",process="door"} 5');
  expect(lines).toContain('sluice_bcl_total{result="replayed",process="door"} 0');
  expect(lines).toContain('sluice_token_endpoint_seconds_count{grant="exchange",process="door"} 1');
  // Asking does not count anything twice.
  expect((await renderMetrics({ door: await readMetrics() })).body).toContain('reason="stale",holder="grant",process="door"} 2');
});

it("two processes stay two series, so that the restart of one is not taken for one of both", async () => {
  metrics.lockLost.inc();
  const told = JSON.parse(JSON.stringify(await readMetrics())) as Awaited<ReturnType<typeof readMetrics>>;
  const { body } = await renderMetrics({ door: told, pages: told });
  expect(body.match(/^sluice_lock_lost_total\{/gm)).toHaveLength(2);
  expect(body.match(/^# TYPE sluice_lock_lost_total/gm)).toHaveLength(1);
  expect(body).not.toMatch(/ (null|NaN|undefined)$/m);
});

it("each metric stands in the operators' list, and nothing else does", async () => {
  const listed = new Set(readFileSync("ops/metrics.md", "utf8").split("\n").filter((line) => line.startsWith("| `sluice_")).flatMap((line) => line.split("|")[1]?.match(/sluice_\w+/g) ?? []));
  const kept = new Set((await readMetrics()).map(({ name }) => name).filter((name) => name.startsWith("sluice_")));
  expect([...kept].sort()).toEqual([...listed].sort());
});
