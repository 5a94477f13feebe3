import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { db } from "@/lib/platform/db";
import { redis } from "@/lib/platform/redis";
import { foldUsage } from ".";
import { usageStream } from "./stream";
import { aCall, addCalls, addChecks, aKey, takeTurns } from "@/dev/testing/usage";

takeTurns();

const rounds = 6;

describe("a worker that is killed", () => {
  it("counts every call once, whatever it was doing, and a key's total is the sum of its hours and of its log", async () => {
    const { id, person } = await aKey();
    const told = { requests: 0, refused: 0, calls: 0, errors: 0, credits: 0 };
    for (let round = 0; round < rounds; round++) {
      const child = spawn(process.execPath, ["--conditions=react-server", "--import", "tsx", "lib/usage/folder.child.ts"], { env: process.env, stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      const gone = once(child, "exit");
      const until = Date.now() + 50 + Math.random() * 150;
      while (Date.now() < until) {
        await addChecks(`${id}:ok`, `${id}:ok`, `${id}:limit`);
        await addCalls(aCall(person, { apiKeyId: id, call: { credits: 2 } }), aCall(person, { apiKeyId: id, status: 500 }));
        told.requests += 2;
        told.refused += 1;
        told.calls += 2;
        told.errors += 1;
        told.credits += 2;
      }
      child.kill("SIGKILL");
      await gone;
    }
    // The last one must have left something, or nobody was killed at work.
    expect(await redis().xlen(usageStream)).toBeGreaterThan(0);
    await foldUsage();
    const { _sum: sum } = await db().usageRollup.aggregate({ where: { apiKeyId: id }, _sum: { requests: true, refused: true, answered: true, errors: true, credits: true } });
    expect({ requests: Number(sum.requests), refused: Number(sum.refused), calls: Number(sum.answered), errors: Number(sum.errors), credits: Number(sum.credits) }).toEqual(told);
    expect(Number((await db().apiKey.findUniqueOrThrow({ where: { id } })).requestCount)).toBe(told.requests);
    expect(await db().requestLog.count({ where: { apiKeyId: id } })).toBe(told.calls);
  }, 60_000);
});
