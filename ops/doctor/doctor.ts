import { type Env, EnvError, parseEnv } from "@/lib/platform/env";

/** What the checks know: the product's own settings, and a few that only the doctor reads. */
export type Doctor = {
  env: Env;
  sync: { id: string; secret: string } | null;
  /** Somebody who may sign in by password, so that real tokens can be looked at. */
  person: { username: string; password: string } | null;
};

type Source = Record<string, string | undefined>;

/** The product's own parser decides; its lines come back where it refuses. */
export function examine(source: Source): { doctor: Doctor | null; lines: string[] } {
  const pair = <K extends string>(first: string, second: string, make: (a: string, b: string) => Record<K, string>) => {
    const [a, b] = [source[first], source[second]];
    return a && b ? make(a, b) : null;
  };
  try {
    return {
      lines: [],
      doctor: {
        env: parseEnv(source),
        sync: pair("KEYCLOAK_SYNC_CLIENT_ID", "KEYCLOAK_SYNC_CLIENT_SECRET", (id, secret) => ({ id, secret })),
        person: pair("DOCTOR_USERNAME", "DOCTOR_PASSWORD", (username, password) => ({ username, password })),
      },
    };
  } catch (error) {
    if (!(error instanceof EnvError)) throw error;
    return { doctor: null, lines: error.lines };
  }
}

/** Settings whose values must not be shown, and passwords within addresses. */
export function secretsOf(source: Source): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(source)) {
    if (!value) continue;
    if (/(SECRET|_KEY|KEKS|PASSWORD|_TOKEN)$/.test(name)) found.push(value, ...value.split(",").map((part) => part.slice(part.indexOf(":") + 1)));
    if (name.endsWith("_URL") && URL.canParse(value)) found.push(new URL(value).password, safeDecode(new URL(value).password));
  }
  // Something very short would blank out half of every line.
  return [...new Set(found)].filter((secret) => secret.length >= 6).sort((a, b) => b.length - a.length);
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
