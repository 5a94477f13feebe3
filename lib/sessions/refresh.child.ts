// A second and third portal process for the tests: does what its parent says and tells how it went.
import type { SessionHandle } from "@/lib/access";
import { isSluiceError } from "@/lib/platform/errors";
import { redisReady } from "@/lib/platform/redis";
import { getSessionToken } from "./get-session-token";
import type { Audience } from "./record";

export type Ask = { handle: SessionHandle; audiences: Audience[] };
export type Told = { tokens: string[]; errors: string[] } | "ready";

async function answer({ handle, audiences }: Ask): Promise<Told> {
  const results = await Promise.allSettled(audiences.map((audience) => getSessionToken(handle, audience)));
  return {
    tokens: results.flatMap((r) => (r.status === "fulfilled" ? [r.value.accessToken] : [])),
    errors: results.flatMap((r) => (r.status === "rejected" ? [isSluiceError(r.reason) ? r.reason.code : String(r.reason)] : [])),
  };
}

process.on("message", (ask: Ask) => void answer(ask).then((told) => process.send?.(told)));
process.on("disconnect", () => process.exit(0));
await redisReady();
process.send?.("ready");
