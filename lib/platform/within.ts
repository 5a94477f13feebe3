import { storeUnavailable } from "./errors";

class LateError extends Error {}

export const isLate = (error: unknown): boolean => error instanceof LateError;

/** What `work` comes to, if it does so within `ms`. It goes on otherwise, and its failure is then nobody's. @throws Error when it is late */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => { timer = setTimeout(() => fail(new LateError(`no answer within ${ms} ms`)), ms); });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** The same for work that only reads our stores: one that is late counts as away. @throws SluiceError `store_unavailable` when it is late */
export async function readWithin<T>(ms: number, work: Promise<T>): Promise<T> {
  try {
    return await within(ms, work);
  } catch (error) {
    throw isLate(error) ? storeUnavailable(error) : error;
  }
}
