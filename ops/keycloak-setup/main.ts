import { text } from "node:stream/consumers";
import { environment } from "../environment";
import { AdminApi } from "./admin-api";
import { perform } from "./apply";
import { type Options, readOptions, SetupError, usage } from "./options";
import { plan } from "./plan";
import { readPresent } from "./present";
import { describe, summary } from "./report";
import { originsOf, secretsFor, withoutSecret } from "./secrets-file";
import type { Step } from "./step";
import { wantedFor } from "./wanted";

/** `npm run keycloak:setup`: reads the realm, says what it lacks, and with `--apply` does it. */
const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) return say(usage);
  const options = readOptions(args, environment());
  const token = options.tokenFromStdin ? (await text(process.stdin)).trim() : null;
  if (options.tokenFromStdin && !token) throw new SetupError("--token-from-stdin: nothing came");
  const api = new AdminApi(options.adminUrl, options.realm, options.admin, token);
  const wanted = wantedFor(options);
  const present = await readPresent(api, wanted);
  const steps = plan(present, wanted);
  say(`Keycloak ${present.version ?? "(version unseen)"} at ${options.adminUrl}, realm ${options.realm}${options.apply ? "" : " (dry run)"}`);
  for (const line of describe(steps)) say(line);
  if (options.apply) await apply(api, steps, options);
  else if (withoutSecret(steps, options).length > 0) say("  --apply will want --secrets-out FILE for the secrets of the new clients");
  say(summary(steps, options.apply));
}

async function apply(api: AdminApi, steps: Step[], options: Options): Promise<void> {
  const secrets = secretsFor(steps, options);
  try {
    for (const step of steps) {
      if (!("deeds" in step)) continue;
      for (const deed of step.deeds) await perform(api, deed, secrets);
      say(`  done: ${step.what}`);
    }
  } finally {
    secrets.close();
  }
  for (const line of originsOf(steps, options)) say(line);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const words = error instanceof SetupError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`keycloak:setup: ${words}\n`);
  process.exit(1);
});
