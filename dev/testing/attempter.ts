// A process that creates one key under a name, says so, and stays; for the test that kills it. `before` stops inside the
// transaction, `after` when it has committed, both before the answer is kept.
import { contextOf } from "./people";
import { createKey } from "@/lib/keys";
import { CreateKeyInput } from "@/lib/keys/schemas";
import { getPersonState } from "@/lib/tenants";
import { claimAttempt } from "@/lib/platform/attempts";
import { transaction } from "@/lib/platform/db";

const [userId = "", key = "", when = ""] = process.argv.slice(2);
const { person } = await getPersonState(userId);
const claimed = await claimAttempt({ tenantId: person.tenantId, owner: userId, key, fingerprint: "f".repeat(64) });
if (claimed.kind !== "mine") throw new Error("the attempt is not mine");
const ctx = { ...contextOf(person), attempt: claimed.attempt };
if (when === "after") await createKey(ctx, CreateKeyInput.parse({ name: "by a process that dies" }));
const stay = () => new Promise((done) => setTimeout(done, 600_000));
const say = () => process.stdout.write("ready\n");
if (when === "after") {
  say();
  await stay();
}
await transaction(async (tx) => {
  await tx.apiKey.count();
  say();
  await stay();
});
