/**
 * What each server action is sent: `input` names things of `theirs`, a person of another tenant. `viewer` is what somebody who
 * may only look is answered (null: carried out, which is a viewer's right), `stranger` what a user of another tenant is: a problem's code, or "own" where the action can only
 * ever touch the caller's own things and is let through. An action without a row turns the build red.
 */
export type Theirs = { keyId: string; userId: string; tenantId: string; chatflowId: string; requestId: string; familyId: string };
type Row = { input(theirs: Theirs): unknown; viewer: string | null; stranger: string };

const lacking = "insufficient_permission";
const admin = (input: Row["input"]): Row => ({ input, viewer: lacking, stranger: lacking });

export const actionRows: Record<string, Row> = {
  createAnyKeyAction: admin(() => ({ tenant: "acme", user: "uma", name: "forged" })),
  importKeyFileAction: admin(() => ({ text: "sha256,name,userId,permissions\n", dryRun: true })),
  setAnyKeyActiveAction: admin(({ keyId }) => ({ id: keyId, isActive: false })),
  revokeAnyKeyAction: admin(({ keyId }) => ({ id: keyId, cascade: false })),
  createPlanAction: admin(() => ({ name: "forged" })),
  updatePlanAction: admin(({ tenantId }) => ({ id: tenantId, name: "forged" })),
  deletePlanAction: admin(({ tenantId }) => ({ id: tenantId })),
  createTenantAction: admin(() => ({ slug: "forged", name: "forged" })),
  updateTenantAction: admin(({ tenantId }) => ({ id: tenantId, name: "forged" })),
  adjustTenantCreditsAction: admin(({ tenantId }) => ({ id: tenantId, amount: 1, reason: "forged" })),
  syncPeopleAction: admin(() => ({})),
  revokePersonAction: admin(({ userId }) => ({ id: userId })),
  updatePersonAction: admin(({ userId }) => ({ id: userId, is_active: false })),
  revokePersonKeyAction: admin(({ keyId }) => ({ id: keyId })),

  createKeyAction: { input: () => ({ name: "guards: own" }), viewer: lacking, stranger: "own" },
  updateKeyAction: { input: ({ keyId }) => ({ id: keyId, changes: { name: "forged" } }), viewer: lacking, stranger: "not_found" },
  setKeyActiveAction: { input: ({ keyId }) => ({ id: keyId, isActive: false }), viewer: lacking, stranger: "not_found" },
  rotateKeyAction: { input: ({ keyId }) => ({ id: keyId, rotation: { overlapSeconds: 0 } }), viewer: lacking, stranger: "not_found" },
  endRotationAction: { input: ({ keyId }) => ({ id: keyId }), viewer: lacking, stranger: "not_found" },
  revokeKeyAction: { input: ({ keyId }) => ({ id: keyId, cascade: false }), viewer: lacking, stranger: "not_found" },
  revokeKeysAction: { input: ({ keyId }) => ({ ids: [keyId] }), viewer: lacking, stranger: "own" },
  whatIfAction: { input: ({ keyId }) => ({ apiKeyId: keyId }), viewer: "not_found", stranger: "not_found" },

  revokeFamilyAction: { input: ({ familyId }) => ({ id: familyId }), viewer: "not_found", stranger: "not_found" },
  // Not carried out: other tests hold these people's tokens.
  revokeAllFamiliesAction: { input: () => ({ surplus: true }), viewer: "validation_failed", stranger: "validation_failed" },
  runChatflowAction: { input: ({ chatflowId }) => ({ chatflow_id: chatflowId, question: "hello" }), viewer: null, stranger: "not_found" },
  createAppAction: { input: () => ({ name: `guards${Date.now()}`, displayName: "Guards" }), viewer: lacking, stranger: "own" },
  removeAppAction: { input: () => ({ names: ["guardsNothing"] }), viewer: lacking, stranger: "own" },
  signOutSessionAction: { input: () => ({ id: "A".repeat(43) }), viewer: "not_found", stranger: "not_found" },
  // Not carried out: these people's sessions are the test's own.
  signOutOthersAction: { input: () => ({ surplus: true }), viewer: "validation_failed", stranger: "validation_failed" },
  // Not carried out: other tests live on these people's machine access.
  removeGrantAction: { input: () => ({ surplus: true }), viewer: "validation_failed", stranger: "validation_failed" },
};

/** What each administrators' page shows of others, for administrators alone. A page without a row turns the build red. */
export const adminPages: Record<string, (theirs: Theirs & { keyName: string }) => string> = {
  "/admin/people": () => "gus@globex.test",
  "/admin/people/[id]": () => "uma@acme.test",
  "/admin/keys": ({ keyName }) => keyName,
  "/admin/keys/[id]": ({ keyName }) => keyName,
  "/admin/requests": ({ requestId }) => requestId,
  "/admin/tenants": () => "globex",
  "/admin/plans": () => ">default<",
};

/** What a route with an id in its address is sent: a body that it takes, so that whose the id is decides. Administrators' routes are under two addresses. */
export const bodies: Record<string, unknown> = {
  "PATCH /api/v1/auth/api-keys/{id}": { name: "forged" },
  "POST /api/v1/auth/api-keys/{id}/rotate": { overlapSeconds: 0 },
  "POST /api/v1/prediction/{id}": { question: "hello" },
  "POST /api/admin/users/{id}/credits": { amount: 1, reason: "forged" },
  "PATCH /api/admin/tenants/{id}": { name: "forged" },
  "POST /api/admin/tenants/{id}/credits": { amount: 1, reason: "forged" },
  "PATCH /api/admin/plans/{id}": { name: "forged" },
  "PATCH /api/admin/api-keys/{id}": { name: "forged" },
  "POST /api/admin/users/{id}/revoke": {},
  "PATCH /api/admin/users/{id}": { is_active: false },
};
