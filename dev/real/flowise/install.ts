import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../cache";

const here = import.meta.dirname;
export const flowiseVersion = (JSON.parse(readFileSync(join(here, "package.json"), "utf8")) as { dependencies: { flowise: string } }).dependencies.flowise;

/**
 * Flowise's packages (2 GB), installed once for each lock file: two to four minutes. Install scripts are left out: they
 * fetch browsers and compile what no test uses, and with PostgreSQL nothing has to be compiled.
 *
 * @returns the folder with its `node_modules`.
 */
export async function installFlowise(say: (line: string) => void): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(join(here, "package-lock.json"))).digest("hex").slice(0, 12);
  return cached(`flowise-${flowiseVersion}-${hash}`, async (draft) => {
    say(`installing Flowise ${flowiseVersion} (npm ci, 2 GB), once`);
    for (const name of ["package.json", "package-lock.json", "stub-ui"]) cpSync(join(here, name), join(draft, name), { recursive: true });
    const npm = spawnSync("npm", ["ci", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund"], { cwd: draft, encoding: "utf8", env: { ...process.env, PUPPETEER_SKIP_DOWNLOAD: "true" } });
    if (npm.status !== 0) throw new Error(`Flowise could not be installed:\n${npm.stderr.split("\n").filter((line) => line.includes("npm error")).slice(0, 8).join("\n")}`);
  });
}
