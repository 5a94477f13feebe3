import { expect } from "vitest";
import type { Answer, Fleet, FleetKey } from "./fleet";
import { admittedAfterDeath, eachOf, livingAndLatelyDead, sentAfterDeath, startLoad } from "./load";

export type Storm = { answers: Answer[]; deadSince: Map<string, number>; unconfirmed: FleetKey[] };

/**
 * Revokes keys one after the other while every member is called with them. What goes wrong in between is `meanwhile`'s,
 * which is told how far it is.
 *
 * @param options.revokers members that are asked to revoke, in turn.
 * @param options.family keys that a key made, and that must die with it.
 */
export async function revokeUnderLoad(fleet: Fleet, keys: FleetKey[], options: { revokers: number[]; atOnce?: number; family?: (key: FleetKey) => FleetKey[]; meanwhile?: (done: number) => Promise<void> | void }): Promise<Storm> {
  const dead: FleetKey[] = [];
  const unconfirmed: FleetKey[] = [];
  const deadSince = new Map<string, number>();
  const { family } = options;
  const load = startLoad(fleet, livingAndLatelyDead(family ? keys.flatMap((key) => [key, ...family(key)]) : keys, dead));
  await eachOf(keys, options.atOnce ?? 3, async (key, i) => {
    await options.meanwhile?.(i);
    const answer = await fleet.change(options.revokers[i % options.revokers.length] ?? 0, "DELETE", family ? `${key.id}?cascade=true` : key.id);
    if (answer.status === 200) {
      for (const one of [key, ...(family?.(key) ?? [])]) {
        deadSince.set(one.id, answer.at);
        dead.push(one);
      }
    } else {
      expect([answer.status, answer.code]).toEqual([503, "store_unavailable"]);
      unconfirmed.push(key);
    }
  });
  await load.stop();
  return { answers: load.answers, deadSince, unconfirmed };
}

/** Asks every member for every one of these keys, and none may admit it. */
export async function requireDead(fleet: Fleet, keys: FleetKey[], code = "key_revoked"): Promise<void> {
  for (const member of fleet.members.keys()) {
    const alive: Answer[] = [];
    await eachOf(keys, 16, async (key) => {
      const answer = await fleet.ask(member, key);
      if (answer.status !== 401 || answer.code !== code) alive.push(answer);
    });
    expect(alive.map(({ status, code: said }) => [status, said]), `member ${member}`).toEqual([]);
  }
}

/** Not one admission after a confirmed death. */
export function requireNoneAdmitted({ answers, deadSince }: Pick<Storm, "answers" | "deadSince">): void {
  expect(admittedAfterDeath(answers, deadSince)).toEqual([]);
}

/** The same; and the test has looked: every member was asked about the dead in time. */
export function requireNoneAdmittedAnywhere(fleet: Fleet, { answers, deadSince }: Pick<Storm, "answers" | "deadSince">, code = "key_revoked"): void {
  requireNoneAdmitted({ answers, deadSince });
  const late = sentAfterDeath(answers, deadSince);
  for (const member of fleet.members.keys()) expect(late.filter((a) => a.member === member && a.code === code).length, `refusals by member ${member}`).toBeGreaterThan(10);
}
