import { now } from "@/lib/platform/clock";
import type { Subject } from "./end-sessions";
import { isKilled, killFactsOf, listIndexed, readKillMarks } from "./marks";
import { findMeta } from "./store";

/** How many sessions a person has now, for a verb that has asked for its own permission. @throws SluiceError `store_unavailable` */
export async function countSessionsOf(who: Subject): Promise<number> {
  const at = now();
  const living = await Promise.all((await listIndexed(who)).map(async (id) => {
    const meta = await findMeta(id);
    if (!meta || meta.state !== "active" || meta.abs_exp <= at || meta.last_seen + meta.idle_s * 1000 <= at) return false;
    return !isKilled(await readKillMarks(killFactsOf(meta)), meta);
  }));
  return living.filter(Boolean).length;
}
