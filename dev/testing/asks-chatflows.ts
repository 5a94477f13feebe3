// A process that asks chatflows on stores of its own, for the test that freezes and kills them. It does what its standard input says, a
// word a line, and writes a line for each thing that happened.
import { createInterface } from "node:readline";
import type { Context } from "@/lib/access";
import { runPrediction, streamPrediction } from "@/lib/chatflows";
import { getBalance, releaseExpiredHolds } from "@/lib/credits";
import { db } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { redisReady } from "@/lib/platform/redis";
import { getPersonState } from "@/lib/tenants";
import { aPerson, contextOf } from "./people";

const say = (...words: string[]) => void process.stdout.write(`${words.join(" ")}\n`);
const { person } = process.argv[2] ? await getPersonState(process.argv[2]) : { person: await aPerson() };
let flow = await db().chatflow.findFirst();
if (!flow) {
  flow = await db().chatflow.create({ data: { id: newId(), flowiseId: newId(), name: "flow", canStream: true, type: "CHATFLOW" } });
  await db().chatflowAssignment.create({ data: { id: newId(), tenantId: person.tenantId, userId: person.userId, chatflowId: flow.id } });
}
const { flowiseId } = flow;
await getBalance(contextOf(person));
await redisReady();
say("ready", person.userId, person.tenantId);

async function ask(ctx: Context, streamed: boolean): Promise<void> {
  const input = { question: ctx.requestId };
  const answer = streamed ? await streamPrediction(ctx, flowiseId, { ...input, streaming: true }) : ({ kind: "json", plain: await runPrediction(ctx, flowiseId, input) } as const);
  if (answer.kind === "json") return say("answered", ctx.requestId, String(answer.plain.data.text));
  let text = "";
  for await (const chunk of answer.stream.body as AsyncIterable<Buffer>) {
    text += chunk.toString();
    // The caller has the whole answer; the process may die before anything else happens.
    if (text.includes('"end"')) say("answered", ctx.requestId, "streamed");
  }
}

for await (const word of createInterface({ input: process.stdin })) {
  if (word === "release") void releaseExpiredHolds().then((count) => say("released", String(count)), (error: Error) => say("failed", "release", error.message));
  else {
    const ctx: Context = { ...contextOf(person), call: { credits: 0 } };
    void ask(ctx, word === "stream").catch((error: Error) => say("failed", ctx.requestId, error.message));
  }
}
