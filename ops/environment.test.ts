import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { environment } from "./environment";

const folder = mkdtempSync(join(tmpdir(), "sluice-environment-"));
const file = join(folder, ".env");
afterEach(() => vi.unstubAllEnvs());

it("a variable of the process wins over .env, and an empty one counts as unset", () => {
  writeFileSync(file, 'OPS_A="from the file"\nOPS_B=kept # said why\nOPS_C=\n');
  vi.stubEnv("OPS_A", "from the process");
  vi.stubEnv("OPS_B", "");
  expect(environment(file)).toMatchObject({ OPS_A: "from the process", OPS_B: "kept" });
  expect(environment(file)).not.toHaveProperty("OPS_C");
  rmSync(folder, { recursive: true });
  expect(environment(file)).toMatchObject({ OPS_A: "from the process" });
});
