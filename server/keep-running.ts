import type { ChildProcess } from "node:child_process";
import { logger } from "@/lib/platform/logger";

export type Kept = { /** Of the first start. @throws Error when it ended before. */ ready: Promise<void>; /** From now on it may end, and is not started again: a signal to the whole group reaches it before `stop` does. */ letEnd(): void; stop(signal: NodeJS.Signals, graceMs: number): Promise<void> };

type Options = { start(): ChildProcess; untilReady(child: ChildProcess): Promise<void> };

/** A life of this length makes up for the crashes before it. */
const healthyMs = 30_000;
const backoffMs = (crashes: number) => Math.min(250 * 2 ** crashes, 15_000);

/**
 * Keeps a child process running: when it ends unasked it is started again, at once the first time, later and later when
 * it keeps ending. One that has never been ready is not tried again: that is a mistake to be told, not a crash.
 */
export function keepRunning(name: string, options: Options): Kept {
  let stopping = false;
  let crashes = 0;
  let child: ChildProcess;
  let again: NodeJS.Timeout | undefined;

  const start = (): Promise<void> => {
    const startedAt = Date.now();
    const mine = options.start();
    child = mine;
    const ended = new Promise<number | null>((done) => mine.once("exit", (code) => done(code)));
    return new Promise<void>((ready, fail) => {
      let wasReady = false;
      void options.untilReady(mine).then(() => { wasReady = true; ready(); }, (error: unknown) => {
        fail(error);
        // One that lives and does not answer is no better than one that has ended.
        mine.kill("SIGKILL");
      });
      void ended.then((code) => {
        fail(new ChildEnded(name, code));
        if (stopping || (!wasReady && crashes === 0)) return;
        crashes = wasReady && Date.now() - startedAt > healthyMs ? 0 : crashes + 1;
        const wait = backoffMs(crashes - 1);
        logger.error({ child: name, code, restartInMs: Math.round(wait), crashes }, "a child process ended and is started again");
        again = setTimeout(() => void start().then(() => logger.info({ child: name }, "the child process runs again"), () => undefined), Math.max(0, wait));
      });
    });
  };

  const letEnd = () => {
    stopping = true;
    clearTimeout(again);
  };
  const ready = start();
  ready.catch(() => undefined);
  return {
    ready,
    letEnd,
    async stop(signal, graceMs) {
      letEnd();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise<void>((done) => child.once("exit", () => done()));
      child.kill(signal);
      const late = setTimeout(() => child.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(late);
    },
  };
}

export class ChildEnded extends Error {
  constructor(name: string, readonly code: number | null) {
    super(`${name} ended while starting (${code})`);
  }
}
