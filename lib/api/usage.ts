import { z } from "@hono/zod-openapi";
import { listOwnEvents } from "@/lib/audit";
import { AuditEventView, ListEventsInput } from "@/lib/audit/schemas";
import { type ApiApp, route, success } from "@/lib/entry/api";
import { WhatIfAnswer, WhatIfInput } from "@/lib/keys/schemas";
import { getDecision, getKeyUsage, listAllRequests, listRequests } from "@/lib/usage";
import { AnyRequestView, DecisionView, KeyUsageView, ListAllRequestsInput, ListRequestsInput, RequestView, UsageInput } from "@/lib/usage/schemas";
import { envelope, listEnvelope } from "./envelope";
import { named } from "./named";
import { supposeCall } from "./suppose-call";

const tag = "Usage";
const portalLeftOut = "Calls that the portal's own pages made with a browser session are marked `portal: true`, and left out unless `includePortal` is true or a `requestId` is given.";
const Request = named(RequestView, "Request");
const Decision = named(DecisionView, "Decision");

/** What was called, how it went, and why it was refused or failed (contract section 4). */
export function usageRoutes(app: ApiApp): void {
  route(app, {
    method: "get", path: "/api/v1/auth/api-keys/:id/usage", tag, summary: "What a key has done, by the hour or the day", permission: "usage:read", params: z.object({ id: z.string().max(100) }), query: UsageInput,
    description: "Steps are UTC's; those without calls are zeros. A call is refused (`rateLimited`) when it is turned away with 401, 402, 403 or 429 before an engine is asked; `requests` are all others, `errors` those of them answered with 400 or more, but for callers who left (499). The totals are the sums of the series. At most 1000 points.",
    answers: [{ status: 200, description: "Totals and series.", schema: envelope(named(KeyUsageView, "KeyUsage")) }],
  }, async (ctx, { params, query }, c) => success(c, await getKeyUsage(ctx, params.id, query)));

  route(app, { method: "get", path: "/api/v1/requests", tag, summary: "One's own calls, newest first, refused ones too", description: portalLeftOut, permission: "usage:read", query: ListRequestsInput, answers: [{ status: 200, description: "A page of calls.", schema: listEnvelope(Request) }] },
    async (ctx, { query }, c) => {
      const { requests, nextCursor } = await listRequests(ctx, query);
      return success(c, requests, { page: { nextCursor, limit: query.limit } });
    });

  route(app, { method: "get", path: "/api/v1/audit", tag, summary: "What happened to oneself and one's keys, newest first", permission: "audit:read", query: ListEventsInput, answers: [{ status: 200, description: "A page of events.", schema: listEnvelope(named(AuditEventView, "AuditEvent")) }] },
    async (ctx, { query }, c) => {
      const { events, nextCursor } = await listOwnEvents(ctx, query);
      return success(c, events, { page: { nextCursor, limit: query.limit } });
    });

  route(app, { method: "get", path: "/api/v1/decisions/:requestId", tag, summary: "Why a call was refused, or answered with another 4xx of ours, within the last day", params: z.object({ requestId: z.string().max(128) }), answers: [{ status: 200, description: "The check that spoke, what it saw and the limit.", schema: envelope(Decision) }] },
    async (ctx, { params }, c) => success(c, await getDecision(ctx, params.requestId)));

  route(app, {
    method: "post", path: "/api/v1/decisions/what-if", tag, summary: "Whether a call with a key would be admitted", permission: "api-keys:read", body: WhatIfInput,
    description: "The real check, of which nothing is taken or counted. `at`, `ip` and what the call would need (`permission`, or `method` and `path`) may be supposed.",
    answers: [{ status: 200, description: "The verdict, and what each step of the check said.", schema: envelope(named(WhatIfAnswer, "WhatIf")) }],
  }, async (ctx, { body }, c) => success(c, await supposeCall(ctx, body)));

  for (const base of ["/api/admin", "/api/v1/admin"]) {
    route(app, { method: "get", path: `${base}/requests`, tag: "Admin", summary: "Everybody's calls, newest first", description: portalLeftOut, permission: "admin:audit", query: ListAllRequestsInput, answers: [{ status: 200, description: "A page of calls.", schema: listEnvelope(named(AnyRequestView, "AnyRequest")) }] },
      async (ctx, { query }, c) => {
        const { requests, nextCursor } = await listAllRequests(ctx, query);
        return success(c, requests, { page: { nextCursor, limit: query.limit } });
      });
  }
}
