import { permissionsOf } from "@/lib/access";
import { recordAudit } from "@/lib/audit";
import { checkCall, noteCaller, type Subject } from "@/lib/keys";
import { transaction } from "@/lib/platform/db";
import { newId } from "@/lib/platform/ids";
import { metrics } from "@/lib/platform/metrics";
import { addFamily, type Caller, familyContext } from "./family";
import { signInByPassword } from "./password-sign-in";
import type { AuthenticateInput, TokenAnswer } from "./schemas";
import { chatAnswerOf } from "./token-answer";

/**
 * Signs a program in, by its person's password or by an API key: a short-lived access token and a refresh token.
 * With a key they stand for the key, and end with it.
 *
 * @throws SluiceError as the key check or `signInByPassword` refuses; `insufficient_permission` for somebody without a role
 */
export async function authenticate(caller: Caller, input: AuthenticateInput): Promise<TokenAnswer> {
  const verdict = await checkCall(await subjectOf(caller, input), { ip: caller.ip, requestId: caller.requestId });
  noteCaller(caller.call, verdict);
  if (!verdict.ok) throw verdict.error;
  const { person, permissions } = verdict;
  const apiKeyId = verdict.apiKeyId ?? null;
  const family = { id: newId(), apiKeyId, origin: apiKeyId ? "apiKey" : "password" } as const;

  const refreshToken = await transaction(async (tx) => {
    // A key's tokens keep to what it could do now; a person's follow their role.
    const token = await addFamily(tx, { ...family, person, secretGeneration: verdict.secretGeneration, permissions: apiKeyId ? permissionsOf(permissions) : ["*"] }, caller);
    await recordAudit(tx, familyContext(family, person, caller), { action: "token.issued", target: { type: "tokenFamily", id: family.id }, data: { by: family.origin } });
    return token;
  });
  metrics.tokenFamilies.inc({ event: "issued" });
  return chatAnswerOf({ person, permissions, family: { ...family, chatflowIds: [], leansOn: {} }, refreshToken }, "Signed in.");
}

async function subjectOf(caller: Caller, input: AuthenticateInput): Promise<Subject> {
  if (input.api_key !== undefined) return { kind: "secret", secret: input.api_key };
  const { userId } = await signInByPassword(caller, input.username ?? "", input.password ?? "");
  return { kind: "user", userId };
}
