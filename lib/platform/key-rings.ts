import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { KeyRing } from "./crypto";
import { env } from "./env";
import { logger } from "./logger";
import { defineScript, runScript } from "./records";
import { withRedis } from "./redis";

/**
 * A new first key of a ring reaches the replicas one after the other, and what one seals with it the others could not open.
 * So each running process says which keys it has, and all seal with the first key that every one of them has.
 */
type RingName = "SESSION_KEKS" | "VAULT_KEKS";
const Rings = z.partialRecord(z.enum(["SESSION_KEKS", "VAULT_KEKS"]), z.array(z.string()));
type Rings = z.infer<typeof Rings>;

const ringsKey = "sl:rings";
const everyMs = 5000;
/** A process that was killed holds a new key back for this long. */
const forgottenSeconds = 60;

type Held = { id: string; others: Rings[]; timer: NodeJS.Timeout | undefined };
const shared = globalThis as typeof globalThis & { sluiceKeyRings?: Held };

function held(): Held {
  shared.sluiceKeyRings ??= { id: randomUUID(), others: [], timer: undefined };
  return shared.sluiceKeyRings;
}

// By the clock of Redis: those of the replicas differ.
const announce = defineScript(`
local at = tonumber(redis.call('TIME')[1])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], at .. '|' .. ARGV[2])
  redis.call('EXPIRE', KEYS[1], 86400)
end
local others = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local cut = string.find(all[i + 1], '|', 1, true)
  if at - tonumber(string.sub(all[i + 1], 1, cut - 1)) > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then others[#others + 1] = string.sub(all[i + 1], cut + 1) end
end
return others`);

/**
 * Says once which keys this process has, and learns what the others have.
 * @param as `null`: only learns.
 * @throws SluiceError `store_unavailable`
 */
export async function announceKeyRings(as: string | null = held().id): Promise<void> {
  const { SESSION_KEKS, VAULT_KEKS } = env();
  const ours: Rings = { SESSION_KEKS: SESSION_KEKS.map(({ kid }) => kid), VAULT_KEKS: VAULT_KEKS.map(({ kid }) => kid) };
  const others = z.array(z.string()).parse(await withRedis((client) => runScript(client, announce, [ringsKey], [as ?? "", as === null ? "" : JSON.stringify(ours), forgottenSeconds])));
  held().others = others.flatMap((text) => Rings.safeParse(JSON.parse(text)).data ?? []);
}

/**
 * Keeps saying it. The first word is waited for, so that nothing is sealed before; without Redis there is nobody to hear it, nor to ask.
 * @param options.silent only learns: the process of the pages ends and begins with a door that has the same settings, and speaks for both.
 */
export async function keepAnnouncingKeyRings(options: { silent?: boolean } = {}): Promise<void> {
  const current = held();
  if (current.timer) return;
  const tick = () => announceKeyRings(options.silent ? null : current.id).catch((error: unknown) => logger.debug({ err: error }, "the key rings were not announced"));
  current.timer = setInterval(() => void tick(), everyMs).unref();
  await tick();
}

/** Takes this process' word back, so that it holds no new key back once it has ended. */
export async function stopAnnouncingKeyRings(): Promise<void> {
  const { id, timer } = held();
  clearInterval(timer);
  shared.sluiceKeyRings = undefined;
  if (timer) await withRedis((client) => client.hdel(ringsKey, id)).catch(() => undefined);
}

/** The ring to seal with: ours, led by the first key that every running process has; in our order where they share none. */
export function sealingRing(name: RingName): KeyRing {
  const ours = env()[name];
  const common = ours.find(({ kid }) => held().others.every((ring) => !ring[name] || ring[name].includes(kid)));
  return common && common !== ours[0] ? [common, ...ours.filter((key) => key !== common)] : ours;
}

/** Whether this process has the key that a blob was sealed with: a setting may lack it, and then the blob itself is sound. */
export function isKeyKnown(name: RingName, blob: string): boolean {
  const kid = blob.split(".")[1];
  return env()[name].some((key) => key.kid === kid);
}
