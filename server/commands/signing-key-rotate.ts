import { parseArgs } from "node:util";
import { rotateSigningKeyNow } from "@/lib/tokens";
import { runCommand, say, UsageError } from "./run";

const usage = `Makes the next key that signs our tokens, on the server's shell and with the server's environment. Sluice does the same by itself after TOKEN_SIGNING_KEY_DAYS.

  npm run signing-key:rotate [-- --compromised]
    --compromised  the present keys are known to others: within a minute nothing that they signed is accepted, the new one signs at once,
                   and programs have to refresh their access tokens

Otherwise the new key is published for ten minutes before it signs, and no call fails.`;

function read() {
  try {
    return parseArgs({ options: { compromised: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : "unreadable arguments"}\n\n${usage}`);
  }
}

void runCommand("signing-key:rotate", async (ctx) => {
  const given = read();
  if (given.help) {
    say(usage);
    return 0;
  }
  const { kid, signsFrom } = await rotateSigningKeyNow(ctx, { distrust: given.compromised ?? false });
  process.stdout.write(`${kid}\n`);
  say(given.compromised ? "The new key signs now; the earlier ones are not trusted any more." : `The new key is published now and signs from ${signsFrom.toISOString()}.`);
  return 0;
});
