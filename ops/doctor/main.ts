import { environment } from "../environment";
import type { Finding } from "./check";
import { look } from "./look";
import { countOf, linesOf } from "./report";

/** `npm run doctor`: checks a configuration from outside in. Exit code 1 when a check failed. */
const usage = `npm run doctor -- [--json]      checks a configuration from outside in; exit code 1 when something is wrong

Reads what the product reads, from the environment or .env, and besides KEYCLOAK_SYNC_CLIENT_ID and KEYCLOAK_SYNC_CLIENT_SECRET.
DOCTOR_USERNAME and DOCTOR_PASSWORD, of somebody who may sign in by password, let it look at real tokens.
--json: one object for machines (npm run -s doctor -- --json)`;

async function main(args: string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== "--json");
  if (unknown !== undefined) {
    process.stdout.write(`${usage}\n`);
    return unknown === "--help" || unknown === "-h" ? 0 : 2;
  }
  const json = args.includes("--json");
  const findings: Finding[] = [];
  for await (const found of look(environment())) {
    findings.push(...found);
    if (!json) for (const line of linesOf(found)) process.stdout.write(`${line}\n`);
  }
  const count = countOf(findings);
  process.stdout.write(json ? `${JSON.stringify({ ...count, findings }, null, 2)}\n` : `\n${count.passed} passed, ${count.failed} failed, ${count.notApplicable} not applicable\n`);
  return count.failed > 0 ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`doctor: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
