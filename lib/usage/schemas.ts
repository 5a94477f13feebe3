import { z } from "zod";

/** Inputs and wire shapes of usage, requests and decisions (HTTP contract, section 4). Pure: pages use them too. */

/** ISO 8601 with a zone, or a day, which is UTC's. */
const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()], { error: "must be an ISO 8601 instant or a date" }).transform((value) => new Date(value));

export const granularities = ["hour", "day"] as const;
export const Granularity = z.enum(granularities);
export type Granularity = z.infer<typeof Granularity>;

/** What Sluice turns a caller away with: who they are, their credits, what they may do, their limits. */
export const refusedStatuses: readonly number[] = [401, 402, 403, 429];
/** A 403 that the engine gave. */
export const enginesRefusal = "upstream_forbidden";

type Outcome = { status: number; code?: string | null | undefined };

/** Turned away by Sluice, before an engine was asked for anything. The words of the whole product; see README.md. */
export const isRefusal = ({ status, code }: Outcome): boolean => refusedStatuses.includes(status) && code !== enginesRefusal;

/** Answered with 400 or more for any other reason. A caller who left (499) is neither. */
export const isError = (call: Outcome): boolean => call.status >= 400 && call.status !== 499 && !isRefusal(call);

/** Left out: the last 24 hours by the hour, the last 30 days by the day. */
export const UsageInput = z.strictObject({ from: instant.optional(), to: instant.optional(), granularity: Granularity.default("hour") });
export type UsageInput = z.output<typeof UsageInput>;
/** Of everything that a person called; `includePortal` adds what the portal's own pages did. A key's usage has none of it. */
export const MyUsageInput = UsageInput.extend({ includePortal: z.boolean().default(false) });
export type MyUsageInput = z.output<typeof MyUsageInput>;

const count = z.int();
const time = z.iso.datetime();
const requests = count.describe("Calls that were not refused.");
const errors = count.describe("Those of them answered with 400 or more, but for callers who left (499).");
const rateLimited = count.describe("Refused calls, for whatever reason: turned away with 401, 402, 403 or 429 before an engine was asked.");
export const UsagePoint = z.object({ at: time, requests, errors, rateLimited, p50Ms: z.int().nullable(), p95Ms: z.int().nullable() });
export type UsagePoint = z.infer<typeof UsagePoint>;

/** The totals are those of the series; the times are the key's, whenever they were. */
export const KeyUsageView = z.object({ totalRequests: requests, lastUsedAt: time.nullable(), lastRequestAt: time.nullable(), errors, rateLimited, creditsSpent: count, series: z.array(UsagePoint) });
export type KeyUsageView = z.infer<typeof KeyUsageView>;

/** A code such as `404`, a class such as `4xx`, which leaves out 499, or what usage counts: the rows behind its numbers. */
const status = z.string().regex(/^([1-5](\d\d|xx)|refused|error)$/, "must be a status such as 404, a class such as 4xx, refused or error")
  .describe("A status such as 404, or a class such as 4xx. `refused`: turned away with 401, 402, 403 or 429 before an engine was asked. `error`: any other answer of 400 or more. A caller who left is 499, which 4xx and error leave out.");

const flag = z.enum(["true", "false"]);
const includePortal = flag.optional().describe("Whether calls that the portal's own pages made with a browser session are among them. Without it they are only when a requestId is given.");

const page = { limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").default(20), cursor: z.string().max(200).optional() };

/** From a query string. `requestId` may be one that several calls were given; `withKey` leaves out what was called without, or with, an API key. */
export const ListRequestsInput = z.strictObject({ apiKeyId: z.uuid("must be a UUID").optional(), withKey: flag.optional(), includePortal, status: status.optional(), requestId: z.string().max(128).optional(), from: instant.optional(), to: instant.optional(), ...page });
export type ListRequestsInput = z.output<typeof ListRequestsInput>;

export const ListAllRequestsInput = ListRequestsInput.extend({ tenantId: z.uuid("must be a UUID").optional(), userId: z.uuid("must be a UUID").optional() });
export type ListAllRequestsInput = z.output<typeof ListAllRequestsInput>;

export const RequestView = z.object({
  requestId: z.string(), at: time, method: z.string(), route: z.string(), status: z.int(), code: z.string().optional(), ms: z.int(), apiKeyId: z.uuid().optional(),
  upstream: z.string().optional(), refId: z.string().optional(), credits: count, ip: z.string().nullable(), userAgent: z.string().nullable(),
  portal: z.literal(true).optional().describe("Made by the portal's own pages."),
});
export type RequestView = z.infer<typeof RequestView>;

/** An administrator also sees whose it was, and by their names whom and which key. */
export const AnyRequestView = RequestView.extend({ tenantId: z.uuid(), userId: z.uuid(), user: z.string().optional(), keyName: z.string().optional() });
export type AnyRequestView = z.infer<typeof AnyRequestView>;

const value = z.union([z.string(), z.number(), z.array(z.string())]).nullable();

/** Which check refused or failed a call, what it saw, and what it would have accepted. */
export const DecisionView = z.object({ requestId: z.string(), at: time, code: z.string(), check: z.string(), seen: value, limit: value, apiKeyId: z.uuid().optional() });
export type DecisionView = z.infer<typeof DecisionView>;
