import { env } from "@/lib/platform/env";
import { endSessionById } from "./end-sessions";
import { forgetIndexed, listIndexed } from "./marks";
import type { SessionMeta } from "./record";
import { findMeta } from "./store";

/** Sessions of a person as the store has them, oldest first; what is over is dropped from the index on the way. */
export async function readSessionsOf(who: { iss: string; sub: string }): Promise<{ id: string; meta: SessionMeta }[]> {
  const ids = await listIndexed(who);
  const all = await Promise.all(ids.map(async (id) => ({ id, meta: await findMeta(id) })));
  const living = all.flatMap(({ id, meta }) => (meta?.state === "active" ? [{ id, meta }] : []));
  await forgetIndexed(who, ids.filter((id) => !living.some((one) => one.id === id)));
  return living.sort((a, b) => a.meta.created - b.meta.created);
}

/**
 * After a sign-in: past the limit the oldest go, so that somebody who collects sessions loses them and nobody is shut out.
 * @param replacedId the session of the same browser, which ends next and so counts no more.
 */
export async function keepWithinLimit(newId: string, who: { iss: string; sub: string }, replacedId: string | null): Promise<void> {
  const others = (await readSessionsOf(who)).filter(({ id }) => id !== newId && id !== replacedId);
  const tooMany = others.length + 1 - env().SESSION_MAX_PER_USER;
  for (const { id } of others.slice(0, Math.max(0, tooMany))) await endSessionById(id, "limit");
}
