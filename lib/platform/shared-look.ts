import { now } from "./clock";

/** How long what was seen is shown again. */
export const keptMs = 1000;

const shared = globalThis as typeof globalThis & { sluiceLooks?: Map<string, { seen: Promise<unknown>; endedAt: number | null }> };

/**
 * A look that anybody may ask for without being known: however many ask, a process looks once at a time and at most once a second.
 * @param name whose looks are one, since Next.js may load a module twice.
 */
export function sharedLook<T>(name: string, look: () => Promise<T>): () => Promise<T> {
  return () => {
    shared.sluiceLooks ??= new Map();
    const last = shared.sluiceLooks.get(name);
    if (last && (last.endedAt === null || now() - last.endedAt < keptMs)) return last.seen as Promise<T>;
    const seen = look();
    const next = { seen, endedAt: null as number | null };
    shared.sluiceLooks.set(name, next);
    const end = () => { next.endedAt = now(); };
    seen.then(end, end);
    return seen;
  };
}
