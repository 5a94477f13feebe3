import { z } from "zod";

/** Inputs and wire shapes of usage, requests and decisions (HTTP contract, section 4). Pure: pages use them too. */

/** ISO 8601 with a zone, or a day, which is UTC's. */
const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()], { error: "must be an ISO 8601 instant or a date" }).transform((value) => new Date(value));

export const granularities = ["hour", "day"] as const;
export const Granularity = z.enum(granularities);
export type Granularity = z.infer<typeof Granularity>;

/** Left out: the last 24 hours by the hour, the last 30 days by the day. */
export const UsageInput = z.strictObject({ from: instant.optional(), to: instant.optional(), granularity: Granularity.default("hour") });
export type UsageInput = z.output<typeof UsageInput>;

const count = z.int();
const time = z.iso.datetime();
export const UsagePoint = z.object({ at: time, requests: count, errors: count, rateLimited: count, p50Ms: z.int().nullable(), p95Ms: z.int().nullable() });
export type UsagePoint = z.infer<typeof UsagePoint>;

/** The totals are those of the series; the times are the key's, whenever they were. */
export const KeyUsageView = z.object({ totalRequests: count, lastUsedAt: time.nullable(), lastRequestAt: time.nullable(), errors: count, rateLimited: count, creditsSpent: count, series: z.array(UsagePoint) });
export type KeyUsageView = z.infer<typeof KeyUsageView>;

/** A code such as `404`, or a class such as `4xx`, which leaves out 499: a caller who left was not refused. */
const status = z.string().regex(/^[1-5](\d\d|xx)$/, "must be a status such as 404, or a class such as 4xx").describe("A status such as 404, or a class such as 4xx. A caller who left is 499, which 4xx leaves out.");

const page = { limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").default(20), cursor: z.string().max(200).optional() };

/** From a query string. `requestId` may be one that several calls were given; `withKey` leaves out what was called without, or with, an API key. */
export const ListRequestsInput = z.strictObject({ apiKeyId: z.uuid("must be a UUID").optional(), withKey: z.enum(["true", "false"]).optional(), status: status.optional(), requestId: z.string().max(128).optional(), from: instant.optional(), to: instant.optional(), ...page });
export type ListRequestsInput = z.output<typeof ListRequestsInput>;

export const ListAllRequestsInput = ListRequestsInput.extend({ tenantId: z.uuid("must be a UUID").optional(), userId: z.uuid("must be a UUID").optional() });
export type ListAllRequestsInput = z.output<typeof ListAllRequestsInput>;

export const RequestView = z.object({
  requestId: z.string(), at: time, method: z.string(), route: z.string(), status: z.int(), code: z.string().optional(), ms: z.int(), apiKeyId: z.uuid().optional(),
  upstream: z.string().optional(), refId: z.string().optional(), credits: count, ip: z.string().nullable(), userAgent: z.string().nullable(),
});
export type RequestView = z.infer<typeof RequestView>;

/** An administrator also sees whose it was, and by their names whom and which key. */
export const AnyRequestView = RequestView.extend({ tenantId: z.uuid(), userId: z.uuid(), user: z.string().optional(), keyName: z.string().optional() });
export type AnyRequestView = z.infer<typeof AnyRequestView>;

const value = z.union([z.string(), z.number(), z.array(z.string())]).nullable();

/** Which check refused a call, what it saw, and what it would have accepted. */
export const DecisionView = z.object({ requestId: z.string(), at: time, code: z.string(), check: z.string(), seen: value, limit: value, apiKeyId: z.uuid().optional() });
export type DecisionView = z.infer<typeof DecisionView>;
