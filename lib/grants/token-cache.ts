import { z } from "zod";
import { now } from "@/lib/platform/clock";
import { randomToken, seal, unseal, UnsealError } from "@/lib/platform/crypto";
import { env } from "@/lib/platform/env";
import { sealingRing } from "@/lib/platform/key-rings";
import { type OwnerTokenKind, ownerTokenKey, ownerTokenKinds } from "@/lib/platform/owner-token-keys";
import { defineScript, runScript, type StaleRecord } from "@/lib/platform/records";
import { redisRunId, withRedis } from "@/lib/platform/redis";

/** The engines to which an owner's token is narrowed; `self` is the grant's own access token, never sent to anybody. */
export type Audience = "nflow" | "flowise";
type Kind = OwnerTokenKind;

/** An access token of the owner. Instants are milliseconds of our clock. */
export type OwnerAccess = { accessToken: string; expiresAt: number; lifeSeconds: number; generation: number };

const Stored = z.object({ at: z.string(), exp: z.number(), life: z.number() });

const kinds = ownerTokenKinds;
const tokenKey = ownerTokenKey;
const grantKey = (userId: string) => `sl:g:{${userId}}`;
const floorKey = (userId: string) => `${grantKey(userId)}:x`;
const backOffKey = (userId: string) => `sl:g:{${userId}}:b`;
const inflightKey = (userId: string) => `sl:g:{${userId}}:f`;
export const lockKey = (userId: string) => `sl:g:{${userId}}:l`;
export const channelOf = (userId: string) => `sl:n:g:{${userId}}`;

const floorTtlSeconds = 86_400;
const inflightMs = 3_600_000;

/** How long before its end a token is replaced: 30 s and some jitter, at most a third of its life. */
export function marginMs(lifeSeconds: number): number {
  return Math.min(30_000 + Math.random() * 5000, (lifeSeconds * 1000) / 3);
}

export function isFresh(access: OwnerAccess): boolean {
  return access.expiresAt - now() > marginMs(access.lifeSeconds);
}

const boundTo = (userId: string, kind: Kind, generation: number, salt: string) => ({ salt, info: `sluice/grant-token/1|${userId}`, aad: `1|${userId}|${kind}|${generation}` });

const write = defineScript(`
local floor = redis.call('GET', KEYS[2])
if floor and tonumber(floor) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`);

const drop = defineScript(`
local floor = redis.call('GET', KEYS[1])
if not floor or tonumber(floor) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
return redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])`);

/** Bound to this Redis (its `run_id`) and to the grant's generation: a copy that a fail-over brought back counts as none. */
export async function readAccess(userId: string, kind: Kind): Promise<OwnerAccess | null> {
  const [value, runId] = await withRedis((client) => Promise.all([client.get(tokenKey(userId, kind)), redisRunId()]));
  const [storedRun, generationText, salt, blob] = value?.split("|") ?? [];
  if (storedRun !== runId || !salt || !blob) return null;
  const generation = Number(generationText);
  try {
    const { at, exp, life } = Stored.parse(JSON.parse(unseal(env().VAULT_KEKS, blob, boundTo(userId, kind, generation, salt))));
    return exp > now() ? { accessToken: at, expiresAt: exp, lifeSeconds: life, generation } : null;
  } catch (error) {
    if (error instanceof UnsealError) return null;
    throw error;
  }
}

/** Keeps a token to its end, unless the grant has a newer generation already: while Keycloak is away, it is still good. */
export async function keepAccess(userId: string, kind: Kind, access: OwnerAccess): Promise<void> {
  const ttlMs = Math.floor(access.expiresAt - now());
  if (ttlMs <= 0) return;
  const salt = randomToken(16);
  const { accessToken: at, expiresAt: exp, lifeSeconds: life, generation } = access;
  const blob = seal(sealingRing("VAULT_KEKS"), JSON.stringify({ at, exp, life }), boundTo(userId, kind, generation, salt));
  await withRedis(async (client) => runScript(client, write, [tokenKey(userId, kind), floorKey(userId)], [generation, `${await redisRunId()}|${generation}|${salt}|${blob}`, ttlMs]));
}

/** Forgets every token of the owner, and keeps late writers of generations below `generation` from bringing one back. */
export async function dropAccess(userId: string, generation: number): Promise<void> {
  const keys = [floorKey(userId), ...kinds.map((kind) => tokenKey(userId, kind)), backOffKey(userId)];
  await withRedis((client) => runScript(client, drop, keys, [generation, floorTtlSeconds]));
}

/** The same as the outbox does it, for a removal whose process dies. The grant's own name has no record: only its floor is raised, which is this one. */
export function accessRecords(userId: string, generation: number): StaleRecord[] {
  return [grantKey(userId), ...kinds.map((kind) => tokenKey(userId, kind))].map((key) => ({ key, version: generation }));
}

export type BackOff = { kind: "disabled" | "unavailable"; ms: number };

/** Why the grant is left alone for now, as all replicas see it. */
export async function readBackOff(userId: string): Promise<BackOff | null> {
  const [kind, ms] = await withRedis((client) => Promise.all([client.get(backOffKey(userId)), client.pttl(backOffKey(userId))]));
  return (kind === "disabled" || kind === "unavailable") && ms > 0 ? { kind, ms } : null;
}

export async function backOff(userId: string, { kind, ms }: BackOff): Promise<void> {
  await withRedis((client) => client.set(backOffKey(userId), kind, "PX", Math.ceil(ms)));
}

/** Leaves word that the token of `generation` is about to be spent. @returns true when somebody left the same word and never finished. */
export async function markInflight(userId: string, generation: number): Promise<boolean> {
  return (await withRedis((client) => client.set(inflightKey(userId), String(generation), "PX", inflightMs, "GET"))) === String(generation);
}

export async function clearInflight(userId: string): Promise<void> {
  await withRedis((client) => client.del(inflightKey(userId)));
}
