const works = new Set<Promise<unknown>>();

/** Work that outlives the answer to its caller, such as settling a stream that was cut: a process that stops waits for it. */
export function unfinished(work: Promise<unknown>): void {
  works.add(work);
  void work.catch(() => undefined).finally(() => works.delete(work));
}

/** Waits until all of it is done, at most `ms`. @returns how much was not. */
export async function untilFinished(ms: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => { timer = setTimeout(done, ms); });
  const all = async () => {
    // Finishing one thing may begin another.
    while (works.size > 0) await Promise.allSettled(works);
  };
  await Promise.race([all(), late]).finally(() => clearTimeout(timer));
  return works.size;
}
