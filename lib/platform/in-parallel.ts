/** Does the same for each of many, a few at a time and in no certain order. The first failure ends it, once what was begun has ended. */
export async function inParallel<T>(items: readonly T[], atOnce: number, each: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const hands = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    while (next < items.length && !failed) {
      try {
        await each(items[next++] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  });
  const ended = await Promise.allSettled(hands);
  const failure = ended.find((hand) => hand.status === "rejected");
  if (failure) throw failure.reason;
}
