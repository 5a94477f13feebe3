import { z } from "@hono/zod-openapi";
import { adjustTenantCredits } from "@/lib/credits";
import { AccountView, AdjustCreditsInput } from "@/lib/credits/schemas";
import { type ApiApp, route, success } from "@/lib/entry/api";
import { createPlan, createTenant, deletePlan, getPlan, getTenant, listPlans, listTenants, updatePlan, updateTenant } from "@/lib/tenants";
import { CreatePlanInput, CreateTenantInput, ListTenantsInput, PlanView, TenantView, UpdatePlanInput, UpdateTenantInput } from "@/lib/tenants/schemas";
import { envelope, listEnvelope } from "./envelope";
import { named } from "./named";

const tag = "Tenants and plans";
const permission = "admin:tenants" as const;
const Tenant = named(TenantView, "Tenant");
const Plan = named(PlanView, "Plan");
/** An id of the wrong shape was never given out: 404 like any other, so it is not judged here. */
const Id = z.object({ id: z.string().max(100) });

/** Tenants and plans of contract section 8. The same under `/api/admin` and `/api/v1/admin`. */
export function tenantRoutes(app: ApiApp): void {
  for (const base of ["/api/admin", "/api/v1/admin"]) {
    route(app, { method: "get", path: `${base}/tenants`, tag, summary: "List tenants, by slug", permission, bootstrap: true, query: ListTenantsInput, answers: [{ status: 200, description: "A page of tenants.", schema: listEnvelope(Tenant) }] },
      async (ctx, { query }, c) => {
        const { tenants, nextCursor } = await listTenants(ctx, query);
        return success(c, tenants, { page: { nextCursor, limit: query.limit } });
      });

    route(app, { method: "post", path: `${base}/tenants`, tag, summary: "Create a tenant", permission, bootstrap: true, creates: true, body: CreateTenantInput, answers: [{ status: 201, description: "The tenant.", schema: envelope(Tenant) }] },
      async (ctx, { body }, c) => success(c, await createTenant(ctx, body), { status: 201 }));

    route(app, { method: "get", path: `${base}/tenants/:id`, tag, summary: "One tenant", permission, params: Id, answers: [{ status: 200, description: "The tenant.", schema: envelope(Tenant) }] },
      async (ctx, { params }, c) => success(c, await getTenant(ctx, params.id)));

    route(app, { method: "patch", path: `${base}/tenants/:id`, tag, summary: "Change a tenant, its plan and limits, or shut it out; in force on every replica before this answers", permission, params: Id, body: UpdateTenantInput, answers: [{ status: 200, description: "The changed tenant.", schema: envelope(Tenant) }] },
      async (ctx, { params, body }, c) => success(c, await updateTenant(ctx, params.id, body)));

    route(app, { method: "post", path: `${base}/tenants/:id/credits`, tag, summary: "Grant credits to a tenant, or take some back", permission: "admin:credits", creates: true, params: Id, body: AdjustCreditsInput, answers: [{ status: 200, description: "Its account.", schema: envelope(AccountView) }] },
      async (ctx, { params, body }, c) => success(c, await adjustTenantCredits(ctx, params.id, body)));

    route(app, { method: "get", path: `${base}/plans`, tag, summary: "List plans, by name", permission, query: ListTenantsInput, answers: [{ status: 200, description: "A page of plans.", schema: listEnvelope(Plan) }] },
      async (ctx, { query }, c) => {
        const { plans, nextCursor } = await listPlans(ctx, query);
        return success(c, plans, { page: { nextCursor, limit: query.limit } });
      });

    route(app, { method: "post", path: `${base}/plans`, tag, summary: "Create a plan", permission, creates: true, body: CreatePlanInput, answers: [{ status: 201, description: "The plan.", schema: envelope(Plan) }] },
      async (ctx, { body }, c) => success(c, await createPlan(ctx, body), { status: 201 }));

    route(app, { method: "get", path: `${base}/plans/:id`, tag, summary: "One plan", permission, params: Id, answers: [{ status: 200, description: "The plan.", schema: envelope(Plan) }] },
      async (ctx, { params }, c) => success(c, await getPlan(ctx, params.id)));

    route(app, { method: "patch", path: `${base}/plans/:id`, tag, summary: "Change a plan; its limits hold for all of its tenants before this answers", permission, params: Id, body: UpdatePlanInput, answers: [{ status: 200, description: "The changed plan.", schema: envelope(Plan) }] },
      async (ctx, { params, body }, c) => success(c, await updatePlan(ctx, params.id, body)));

    route(app, { method: "delete", path: `${base}/plans/:id`, tag, summary: "Delete a plan that no tenant has", permission, params: Id, answers: [{ status: 200, description: "What was deleted.", schema: envelope(Plan) }] },
      async (ctx, { params }, c) => success(c, await deletePlan(ctx, params.id)));
  }
}
