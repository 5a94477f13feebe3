import { notRun, type Row } from "./row";

/** A Flowise with the ids of two flows that reply at once: one that anybody may call, one bound to `key`. */
export type RealFlowise = { url: string; key: string; unboundFlow: string; boundFlow: string; stop(): Promise<void> };

/**
 * Where a real Flowise comes from: `BENCH_FLOWISE_URL` and `BENCH_FLOWISE_KEY` name one that runs already.
 * @returns null when there is none.
 */
export async function startRealFlowise(): Promise<RealFlowise | null> {
  return null;
}

export const boundFlow: Row = {
  name: "bound-flow",
  title: "A keyed prediction through us against Flowise's own bound key",
  async run() {
    const flowise = await startRealFlowise();
    if (!flowise) return [notRun("keyed prediction through us against Flowise's own bound key", "it needs a real Flowise, and nothing here starts one yet")];
    await flowise.stop();
    return [notRun("keyed prediction through us against Flowise's own bound key", "the comparison itself is still to be written")];
  },
};
