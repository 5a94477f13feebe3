import { parseArgs } from "node:util";
import { createAnyKey } from "@/lib/keys";
import { CreateAnyKeyInput } from "@/lib/keys/schemas";
import { runCommand, say, UsageError } from "./run";

const usage = `Creates an API key for a person, on the server's shell and with the server's environment.

  npm run key:create -- --tenant acme --user ada --name "first key" [--permissions read,ai:predict]
    --tenant       slug or id
    --user         username or verified email in Keycloak; looked up there when not yet known here
    --name         what it is for
    --permissions  names or read, write, admin; separated by commas (default: chatflows:read, ai:predict)
    --description  up to 500 characters
    --chatflows    only these, by Flowise's id, separated by commas
    --allowed-ips  only from these addresses or ranges, separated by commas
    --rate-limit   requests/seconds (default 1000/3600)
    --expires-at   ISO 8601, or
    --expires-in   seconds
    --json         the whole key as JSON instead of the secret alone

The secret is printed to stdout, once.`;

const text = { type: "string" } as const;
const list = (value: string | undefined) => value?.split(",").map((part) => part.trim()).filter(Boolean);

function read() {
  try {
    return parseArgs({ options: { tenant: text, user: text, name: text, permissions: text, description: text, chatflows: text, "allowed-ips": text, "rate-limit": text, "expires-at": text, "expires-in": text, json: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : "unreadable arguments"}\n\n${usage}`);
  }
}

function inputOf(given: ReturnType<typeof read>): CreateAnyKeyInput {
  const [requests, window] = given["rate-limit"]?.split("/").map(Number) ?? [];
  const parsed = CreateAnyKeyInput.safeParse({
    tenant: given.tenant, user: given.user, name: given.name, permissions: list(given.permissions), description: given.description, chatflowIds: list(given.chatflows), allowedIps: list(given["allowed-ips"]),
    ...(given["rate-limit"] !== undefined && { rateLimit: { requests, window } }), expiresAt: given["expires-at"], ...(given["expires-in"] !== undefined && { expiresIn: Number(given["expires-in"]) }),
  });
  if (parsed.success) return parsed.data;
  const missing = ["tenant", "user", "name"].filter((name) => !(name in given)).map((name) => `--${name} is missing`);
  throw new UsageError([...missing, ...(missing.length > 0 ? [] : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`)), "", usage].join("\n"));
}

void runCommand("key:create", async (ctx) => {
  const given = read();
  if (given.help) {
    say(usage);
    return 0;
  }
  const { key, secret, grant, message } = await createAnyKey(ctx, inputOf(given));
  process.stdout.write(given.json ? `${JSON.stringify({ ...key, key: secret, grant }, null, 2)}\n` : `${secret}\n`);
  say(`Made ${key.id} (${key.permissions.join(", ")}). This is the only time that it is shown.`);
  if (grant === "missing") say("Calls to the engines wait until its owner has given machine access in the portal.");
  if (message) say(message);
  return 0;
});
