import { isTrustedPeer } from "./client-address";
import { now } from "./clock";
import { logger } from "./logger";

/** From how many people behind one peer it looks like a proxy: few where it names its clients, more where it may as well be an office. */
export const peopleMin = { forwarding: 3, silent: 10 } as const;
const windowMs = 600_000;
const sayAgainMs = 86_400_000;
/** Peers that are watched at once; beyond it the one that was seen first is forgotten. */
const peersMax = 1000;

type Watched = { until: number; people: Set<string>; saidAt?: number };
const peers = new Map<string, Watched>();

/**
 * Warns once a day when many people call through one peer that `TRUSTED_PROXIES` does not name: all of them then share one address in
 * IP allowlists, limits on failures, and the log.
 *
 * @param forwards whether the call brought `X-Forwarded-For`, which was not believed.
 */
export function watchPeer(peer: string, forwards: boolean, userId: string): void {
  const key = `${forwards ? "f" : "s"}|${peer}`;
  let seen = peers.get(key);
  if (!seen) {
    if (isTrustedPeer(peer)) return;
    const [first] = peers.keys();
    if (peers.size >= peersMax && first !== undefined) peers.delete(first);
    peers.set(key, (seen = { until: now() + windowMs, people: new Set() }));
  }
  if (seen.saidAt !== undefined && now() - seen.saidAt < sayAgainMs) return;
  if (now() >= seen.until) Object.assign(seen, { until: now() + windowMs, people: new Set() });
  seen.people.add(userId);
  if (seen.people.size < peopleMin[forwards ? "forwarding" : "silent"]) return;
  seen.saidAt = now();
  seen.people.clear();
  logger.warn(
    { peer, forwards, people: peopleMin[forwards ? "forwarding" : "silent"] },
    forwards
      ? "many people call through one peer that sends X-Forwarded-For and is not in TRUSTED_PROXIES: if it is your proxy, name it there, or all of them share its address"
      : "many people call from one address: if it is your proxy, have it send X-Forwarded-For and name it in TRUSTED_PROXIES; if it is a shared network, this is as it should be",
  );
}

/** For tests. */
export function forgetPeers(): void {
  peers.clear();
}
