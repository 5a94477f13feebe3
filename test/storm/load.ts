import type { Answer, Fleet, FleetKey } from "./fleet";

export type Load = { answers: Answer[]; stop(): Promise<void> };

/** Callers at every member who write down every answer. `pick` says with which key next. A pause, so that revocations get their share of the machine. */
export function startLoad(fleet: Fleet, pick: () => FleetKey, { callersEach = 2, pauseMs = 4 }: { callersEach?: number; pauseMs?: number } = {}): Load {
  const answers: Answer[] = [];
  let running = true;
  const caller = async (member: number) => {
    while (running) {
      answers.push(await fleet.ask(member, pick()));
      await new Promise((done) => setTimeout(done, pauseMs));
    }
  };
  const callers = fleet.members.flatMap((_, member) => Array.from({ length: callersEach }, () => caller(member)));
  return {
    answers,
    stop: async () => {
      running = false;
      await Promise.all(callers);
    },
  };
}

/** Keys in turn, those that died lately every other time: what must not happen, happens right after a revocation. */
export function livingAndLatelyDead(keys: FleetKey[], dead: FleetKey[], lately = 60): () => FleetKey {
  let turn = 0;
  return () => {
    turn += 1;
    const late = dead.slice(-lately);
    const from = turn % 2 && late.length > 0 ? late : keys;
    return from[Math.floor(turn / 2) % from.length] as FleetKey;
  };
}

/**
 * Calls that were sent after their key's death had been confirmed, and admitted all the same. Calls that were under way
 * at that moment may have been either.
 */
export function admittedAfterDeath(answers: Answer[], deadSince: Map<string, number>): Answer[] {
  return answers.filter(({ keyId, sentAt, status }) => status < 300 && sentAt >= (deadSince.get(keyId) ?? Infinity));
}

export function sentAfterDeath(answers: Answer[], deadSince: Map<string, number>): Answer[] {
  return answers.filter(({ keyId, sentAt }) => sentAt >= (deadSince.get(keyId) ?? Infinity));
}

/** Does `work` with every item, so many at a time, in order. */
export async function eachOf<T>(items: T[], atOnce: number, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) await work(items[i] as T, i);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
