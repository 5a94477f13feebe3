/**
 * Where key checks leave their usage events, in the same round trip: one entry per batch of checks, with one field `c` of
 * `<key id>:<code>` joined by commas. The entry's id is the moment (ms) of the check. `ok` is an admitted call, any
 * other code a refused one.
 */
export const usageStream = "sl:usage";
/** About 60 bytes each; a worker that is away longer than this lasts loses counts, not calls. */
export const usageStreamMax = 1_000_000;

export const admitted = "ok";
