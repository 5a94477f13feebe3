import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";

/** The settings of this process over those of `.env`: whoever sets a variable on the command line means it. Empty counts as unset. */
export function environment(file = ".env"): Record<string, string | undefined> {
  const written = existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ""));
  return Object.fromEntries(Object.entries({ ...written, ...given }).filter(([, value]) => value !== ""));
}
