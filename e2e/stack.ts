import { existsSync, readFileSync } from "node:fs";
import type { Demo } from "../dev/seeded-stack";

/** The stack under test: the one that the test run started, or a demo that is open (`npm run demo`). */
export function stackInfo(): { demo: Demo; env: Record<string, string> | null } {
  const file = process.env.SLUICE_STACK;
  if (file) return JSON.parse(readFileSync(file, "utf8")) as { demo: Demo; env: Record<string, string> };
  if (!existsSync(".data/demo.json")) throw new Error("No stack: run `npm test`, or `npm run demo` beside this.");
  return { demo: JSON.parse(readFileSync(".data/demo.json", "utf8")) as Demo, env: null };
}
