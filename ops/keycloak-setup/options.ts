import { parseArgs } from "node:util";
import { z } from "zod";
import { secureUrl } from "@/lib/platform/env";

export const usage = `npm run keycloak:setup -- [options]      prepares an existing realm for Sluice; without --apply it only says what it would do

  --apply                 do it
  --secrets-out FILE      where the secrets of new clients go, as .env lines (a new file, mode 600)
  --tenants HOW           groups (default), organizations or none: what says which tenant somebody belongs to
  --direct                also the client for sign-in by password (the default where PASSWORD_GRANT_ENABLED=true)
  --realm-settings        also change realm settings that differ from the recommendations
  --token-from-stdin      take an admin's access token from standard input

Read from the environment or .env: AUTH_URL, KEYCLOAK_ISSUER, the names of the clients and audiences, and who is asking:
KEYCLOAK_ADMIN_USERNAME and KEYCLOAK_ADMIN_PASSWORD, or KEYCLOAK_ADMIN_CLIENT_ID and KEYCLOAK_ADMIN_CLIENT_SECRET, of the realm
KEYCLOAK_ADMIN_REALM (default master). KEYCLOAK_ADMIN_URL where the admin API has another address than the issuer.`;

/** What the operator did wrong, in words for the operator. */
export class SetupError extends Error {
  override name = "SetupError";
}

const name = (fallback: string) => z.string().min(1).max(255).default(fallback);
const secret = z.string().min(8).max(4096).optional();

const Settings = z.object({
  AUTH_URL: secureUrl,
  KEYCLOAK_ISSUER: secureUrl.refine((url) => /\/realms\/[^/]+$/.test(url), "must end in /realms/<name>"),
  KEYCLOAK_CLIENT_ID: name("sluice-web"),
  KEYCLOAK_CLIENT_SECRET: secret,
  KEYCLOAK_MACHINE_CLIENT_ID: name("sluice-machine"),
  KEYCLOAK_MACHINE_CLIENT_SECRET: secret,
  KEYCLOAK_DIRECT_CLIENT_ID: name("sluice-direct"),
  KEYCLOAK_DIRECT_CLIENT_SECRET: secret,
  KEYCLOAK_SYNC_CLIENT_ID: name("sluice-sync"),
  KEYCLOAK_SYNC_CLIENT_SECRET: secret,
  NFLOW_AUDIENCE: name("nflow"),
  FLOWISE_AUDIENCE: name("flowise"),
  PASSWORD_GRANT_ENABLED: z.enum(["true", "false"]).default("false"),
  KEYCLOAK_ADMIN_URL: secureUrl.optional(),
  KEYCLOAK_ADMIN_REALM: name("master"),
  KEYCLOAK_ADMIN_USERNAME: z.string().min(1).max(255).optional(),
  KEYCLOAK_ADMIN_PASSWORD: z.string().min(1).max(4096).optional(),
  KEYCLOAK_ADMIN_CLIENT_ID: z.string().min(1).max(255).optional(),
  KEYCLOAK_ADMIN_CLIENT_SECRET: z.string().min(1).max(4096).optional(),
});

export type Tenants = "groups" | "organizations" | "none";
/** Which of our clients, with the variable that holds its secret. */
export type ClientKind = "web" | "machine" | "direct" | "sync";

export type Options = {
  apply: boolean;
  realmSettings: boolean;
  direct: boolean;
  tenants: Tenants;
  secretsOut: string | null;
  tokenFromStdin: boolean;
  authUrl: string;
  realm: string;
  adminUrl: string;
  clientIds: Record<ClientKind, string>;
  /** Secrets that the operator chose already; a client that is made without one gets a fresh one. */
  secrets: Partial<Record<ClientKind, string>>;
  audiences: string[];
  admin: { realm: string; username?: string; password?: string; clientId?: string; clientSecret?: string };
};

/** Reads the command line and the settings. @throws SetupError with one line for each thing that is wrong. */
export function readOptions(args: string[], source: Record<string, string | undefined>): Options {
  const { values } = readArguments(args);
  const parsed = Settings.safeParse(source);
  if (!parsed.success) throw new SetupError(parsed.error.issues.map((i) => `${String(i.path[0])} ${source[String(i.path[0])] === undefined ? "is missing" : i.message}`).join("\n"));
  const s = parsed.data;
  const tenants = z.enum(["groups", "organizations", "none"]).safeParse(values.tenants);
  if (!tenants.success) throw new SetupError("--tenants must be groups, organizations or none");
  const clientIds = { web: s.KEYCLOAK_CLIENT_ID, machine: s.KEYCLOAK_MACHINE_CLIENT_ID, direct: s.KEYCLOAK_DIRECT_CLIENT_ID, sync: s.KEYCLOAK_SYNC_CLIENT_ID };
  const audiences = [...new Set([s.NFLOW_AUDIENCE, s.FLOWISE_AUDIENCE])];
  if (new Set([...Object.values(clientIds), ...audiences]).size < 4 + audiences.length) throw new SetupError("the clients and the audiences must all have different names: refresh-token chains are never shared");
  const [, base = "", realm = ""] = /^(.*)\/realms\/([^/]+)$/.exec(s.KEYCLOAK_ISSUER) ?? [];
  return {
    apply: values.apply, realmSettings: values["realm-settings"], direct: values.direct || s.PASSWORD_GRANT_ENABLED === "true", tenants: tenants.data,
    secretsOut: values["secrets-out"] ?? null, tokenFromStdin: values["token-from-stdin"],
    authUrl: s.AUTH_URL, realm: decodeURIComponent(realm), adminUrl: s.KEYCLOAK_ADMIN_URL ?? base, clientIds, audiences,
    secrets: { web: s.KEYCLOAK_CLIENT_SECRET, machine: s.KEYCLOAK_MACHINE_CLIENT_SECRET, direct: s.KEYCLOAK_DIRECT_CLIENT_SECRET, sync: s.KEYCLOAK_SYNC_CLIENT_SECRET },
    admin: { realm: s.KEYCLOAK_ADMIN_REALM, username: s.KEYCLOAK_ADMIN_USERNAME, password: s.KEYCLOAK_ADMIN_PASSWORD, clientId: s.KEYCLOAK_ADMIN_CLIENT_ID, clientSecret: s.KEYCLOAK_ADMIN_CLIENT_SECRET },
  };
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args, strict: true, allowPositionals: false,
      options: {
        apply: { type: "boolean", default: false }, "realm-settings": { type: "boolean", default: false }, direct: { type: "boolean", default: false },
        tenants: { type: "string", default: "groups" }, "secrets-out": { type: "string" }, "token-from-stdin": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
