import { randomUUID } from "node:crypto";
import type { Context, Permission } from "@/lib/access";
import * as chatflows from "@/lib/chatflows";
import * as credits from "@/lib/credits";
import * as keys from "@/lib/keys";
import { CreateAnyKeyInput, CreateKeyInput, ListKeysInput } from "@/lib/keys/schemas";
import * as nflow from "@/lib/nflow";
import { CreateAppInput, RemoveAppsInput } from "@/lib/nflow/schemas";
import * as people from "@/lib/people";
import { ListPeopleInput, RevokePersonInput } from "@/lib/people/schemas";
import * as usage from "@/lib/usage";
import { ListAllRequestsInput, ListRequestsInput, MyUsageInput, UsageInput } from "@/lib/usage/schemas";
import * as tenants from "@/lib/tenants";
import { CreatePlanInput, CreateTenantInput, ListTenantsInput } from "@/lib/tenants/schemas";

type Row = { permission: Permission; run(ctx: Context): Promise<unknown> };

const id = randomUUID();
const gone = new AbortController().signal;
const rotation = { overlapSeconds: 0 };
const page = ListKeysInput.parse({});
const all = ListTenantsInput.parse({});

/** Every verb with the permission that it asks for, and a call of it that does as little as can be once it was let in. */
export const verbs: Record<string, Row> = {
  createKey: { permission: "api-keys:create", run: (ctx) => keys.createKey(ctx, CreateKeyInput.parse({ name: "k", permissions: ["api-keys:create"] })) },
  listKeys: { permission: "api-keys:read", run: (ctx) => keys.listKeys(ctx, page) },
  getKey: { permission: "api-keys:read", run: (ctx) => keys.getKey(ctx, id) },
  listKeyReminders: { permission: "api-keys:read", run: (ctx) => keys.listKeyReminders(ctx) },
  getKeyAllowance: { permission: "api-keys:read", run: (ctx) => keys.getKeyAllowance(ctx) },
  listCreatedKeys: { permission: "api-keys:read", run: (ctx) => keys.listCreatedKeys(ctx, id) },
  listKeyActivity: { permission: "usage:read", run: (ctx) => usage.listKeyActivity(ctx, [id]) },
  getRotation: { permission: "api-keys:read", run: (ctx) => keys.getRotation(ctx, id) },
  updateKey: { permission: "api-keys:manage", run: (ctx) => keys.updateKey(ctx, id, { name: "x" }) },
  rotateKey: { permission: "api-keys:manage", run: (ctx) => keys.rotateKey(ctx, id, rotation) },
  endRotation: { permission: "api-keys:manage", run: (ctx) => keys.endRotation(ctx, id) },
  revokeKey: { permission: "api-keys:manage", run: (ctx) => keys.revokeKey(ctx, id) },
  revokeKeys: { permission: "api-keys:manage", run: (ctx) => keys.revokeKeys(ctx, [id]) },
  whatIf: { permission: "api-keys:read", run: (ctx) => keys.whatIf(ctx, { apiKeyId: id }) },
  whatIfAny: { permission: "admin:keys", run: (ctx) => keys.whatIfAny(ctx, { apiKeyId: id }) },
  verifyKey: { permission: "admin:keys", run: (ctx) => keys.verifyKey(ctx, { key: "nonsense" }) },
  getAnyKey: { permission: "admin:keys", run: (ctx) => keys.getAnyKey(ctx, id) },
  updateAnyKey: { permission: "admin:keys", run: (ctx) => keys.updateAnyKey(ctx, id, { name: "x" }) },
  listAnyKeys: { permission: "admin:keys", run: (ctx) => keys.listAnyKeys(ctx, page) },
  createAnyKey: { permission: "admin:keys", run: (ctx) => keys.createAnyKey(ctx, CreateAnyKeyInput.parse({ tenant: "nowhere", user: "nobody", name: "k" })) },
  importKeys: { permission: "admin:keys", run: (ctx) => keys.importKeys(ctx, { keys: [], dryRun: true }) },
  importKeyFile: { permission: "admin:keys", run: (ctx) => keys.importKeyFile(ctx, { text: "sha256", dryRun: true }) },
  listBootstrapUses: { permission: "admin:keys", run: (ctx) => keys.listBootstrapUses(ctx) },
  revokeAnyKey: { permission: "admin:keys", run: (ctx) => keys.revokeAnyKey(ctx, id) },

  listMyChatflows: { permission: "chatflows:read", run: (ctx) => chatflows.listMyChatflows(ctx) },
  getMyChatflow: { permission: "chatflows:read", run: (ctx) => chatflows.getMyChatflow(ctx, id) },
  runChatflow: { permission: "ai:predict", run: (ctx) => chatflows.runChatflow(ctx, { chatflow_id: id, question: "q" }) },
  predictOnce: { permission: "ai:predict", run: (ctx) => chatflows.predictOnce(ctx, { chatflow_id: id, question: "q" }, gone) },
  runPrediction: { permission: "ai:predict", run: (ctx) => chatflows.runPrediction(ctx, id, { question: "q" }) },
  streamChatflow: { permission: "ai:predict", run: (ctx) => chatflows.streamChatflow(ctx, { chatflow_id: id, question: "q" }, gone) },
  streamPrediction: { permission: "ai:predict", run: (ctx) => chatflows.streamPrediction(ctx, id, { question: "q", streaming: true }, gone) },
  assignByEmail: { permission: "admin:chatflows", run: (ctx) => chatflows.assignByEmail(ctx, id, "nobody@example.test") },
  unassignByEmail: { permission: "admin:chatflows", run: (ctx) => chatflows.unassignByEmail(ctx, id, "nobody@example.test") },
  syncChatflows: { permission: "admin:chatflows", run: (ctx) => chatflows.syncChatflows(ctx) },


  searchApps: { permission: "nflow:read", run: (ctx) => nflow.searchApps(ctx, {}) },
  getApp: { permission: "nflow:read", run: (ctx) => nflow.getApp(ctx, "x") },
  createApp: { permission: "nflow:write", run: (ctx) => nflow.createApp(ctx, CreateAppInput.parse({ name: "matrix", displayName: "x" })) },
  removeApps: { permission: "nflow:write", run: (ctx) => nflow.removeApps(ctx, RemoveAppsInput.parse({ names: ["matrix"] })) },

  getKeyUsage: { permission: "usage:read", run: (ctx) => usage.getKeyUsage(ctx, id, UsageInput.parse({})) },
  getAnyKeyUsage: { permission: "admin:keys", run: (ctx) => usage.getAnyKeyUsage(ctx, id, UsageInput.parse({})) },
  getMyUsage: { permission: "usage:read", run: (ctx) => usage.getMyUsage(ctx, MyUsageInput.parse({})) },
  listRequests: { permission: "usage:read", run: (ctx) => usage.listRequests(ctx, ListRequestsInput.parse({})) },
  listAllRequests: { permission: "admin:audit", run: (ctx) => usage.listAllRequests(ctx, ListAllRequestsInput.parse({})) },

  getBalance: { permission: "credits:read", run: (ctx) => credits.getBalance(ctx) },
  adjustTenantCredits: { permission: "admin:credits", run: (ctx) => credits.adjustTenantCredits(ctx, id, { amount: 1, reason: "x" }) },
  adjustCredits: { permission: "admin:credits", run: (ctx) => credits.adjustCredits(ctx, id, { amount: 1, reason: "x" }) },

  listPeople: { permission: "admin:users", run: (ctx) => people.listPeople(ctx, ListPeopleInput.parse({ limit: 1 })) },
  getPersonDetails: { permission: "admin:users", run: (ctx) => people.getPersonDetails(ctx, id) },
  findLastSync: { permission: "admin:users", run: (ctx) => people.findLastSync(ctx) },
  listPersonChatflows: { permission: "admin:users", run: (ctx) => people.listPersonChatflows(ctx, id) },
  revokePerson: { permission: "admin:users", run: (ctx) => people.revokePerson(ctx, id, RevokePersonInput.parse({})) },
  updatePerson: { permission: "admin:users", run: (ctx) => people.updatePerson(ctx, id, { is_active: true }) },
  syncPeople: { permission: "admin:users", run: (ctx) => people.syncPeople(ctx) },
  syncPersonByEmail: { permission: "admin:users", run: (ctx) => people.syncPersonByEmail(ctx, { email: "nobody@example.test" }) },
  takeOverDisabled: { permission: "admin:users", run: (ctx) => people.takeOverDisabled(ctx, { userId: id, seenAt: 0 }) },
  sweepPeople: { permission: "admin:users", run: (ctx) => people.sweepPeople(ctx) },

  listTenants: { permission: "admin:tenants", run: (ctx) => tenants.listTenants(ctx, all) },
  getTenant: { permission: "admin:tenants", run: (ctx) => tenants.getTenant(ctx, id) },
  createTenant: { permission: "admin:tenants", run: (ctx) => tenants.createTenant(ctx, CreateTenantInput.parse({ slug: `m-${id}`, name: "m" })) },
  updateTenant: { permission: "admin:tenants", run: (ctx) => tenants.updateTenant(ctx, id, { name: "m" }) },
  listPlans: { permission: "admin:tenants", run: (ctx) => tenants.listPlans(ctx, all) },
  getPlan: { permission: "admin:tenants", run: (ctx) => tenants.getPlan(ctx, id) },
  createPlan: { permission: "admin:tenants", run: (ctx) => tenants.createPlan(ctx, CreatePlanInput.parse({ name: `m-${id}` })) },
  updatePlan: { permission: "admin:tenants", run: (ctx) => tenants.updatePlan(ctx, id, { name: "m" }) },
  deletePlan: { permission: "admin:tenants", run: (ctx) => tenants.deletePlan(ctx, id) },
};

/** Verbs that every person may call about themselves, and parts of other verbs that their callers guard. */
export const openVerbs = new Set(["confirmAdministrator", "deleteGrant", "endGrantOf", "finishGrant", "getDecision", "getGrant", "getGrantDetails", "holdCredits", "issueToken", "listFamilies", "listSessions", "revokeAllFamilies", "revokeFamily", "rotateSigningKeyNow", "signOutEverywhere", "signOutOthers", "signOutSession", "startGrant", "startRenewal"]);

/** Routes that every caller may use about themselves. */
export const openRoutes = new Set(["GET /api/v1/auth/me", "GET /api/v1/decisions/{requestId}", "GET /api/v1/grant", "DELETE /api/v1/grant",
  "POST /api/v1/auth/token", "POST /api/v1/auth/token/revoke", "POST /api/v1/chat/revoke"]);
