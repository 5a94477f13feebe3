/**
 * Where usage events are left for the fold. Two kinds of entries share the stream, so that one cursor covers both:
 *
 * - `c`, written by the key check in its own round trip, one per batch: `<key id>:<code>` joined by commas. The entry's id
 *   is the moment (ms) of the check. `ok` is an admitted call, `ok~` one admitted with an earlier secret, any other code
 *   a refused one.
 * - `l`, written by the doors when calls have ended: a JSON list of what `call-record.ts` packs.
 */
export const usageStream = "sl:usage";
/** Of the check's entries, about 60 bytes each when calls come one by one; a worker that is away longer than this lasts loses counts, not calls. */
export const usageStreamMax = 1_000_000;
/** From here on calls are counted but not described: they are the heavy part, and the log gives way before the counts do. */
export const describedMax = 100_000;

export const admitted = "ok";
/** Marks a call that came with a secret that was rotated away. */
export const earlierMark = "~";

/** One check of a key, as the fold reads it. */
export type Check = { atMs: number; keyId: string; admitted: boolean; earlierSecret: boolean };
