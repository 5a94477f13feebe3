import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Provider } from "oidc-provider";
import { type CallLog, sendJson } from "../lib/calls";
import type { Faults } from "./faults";
import { grants } from "./grants";
import { authenticateClient, clientCredentials, type Form, noStore, OAuthError, readForm } from "./oauth";
import type { Realm, Tokens } from "./tokens";

type Parts = { realm: Realm; tokens: Tokens; provider: Provider; faults: Faults; calls: CallLog };

/**
 * `POST …/token`. It is ours and not oidc-provider's, because Keycloak ties refresh tokens to client sessions in a way
 * no setting of another server describes; codes, with everything that led to them, are still oidc-provider's.
 */
export async function answerToken(req: IncomingMessage, res: ServerResponse, parts: Parts): Promise<void> {
  const form = await readForm(req);
  record(req, res, form, parts.calls);
  const { faults, realm } = parts;
  if (faults.tokenDelayMs > 0) await sleep(faults.tokenDelayMs);
  noStore(res);
  if (faults.tokenStatus !== undefined) return sendJson(res, faults.tokenStatus, { error: "unknown_error", error_description: "Asked for by a test" });
  if (faults.tokenError !== undefined) return sendJson(res, statusOf(faults.tokenError), { error: faults.tokenError, error_description: "Asked for by a test" });
  try {
    const client = authenticateClient(realm.clients, req, form);
    if (!form.grant_type) throw new OAuthError(400, "invalid_request", "Missing form parameter: grant_type");
    const grant = Object.hasOwn(grants, form.grant_type) ? grants[form.grant_type] : undefined;
    if (!grant) throw new OAuthError(400, "unsupported_grant_type", "Unsupported grant_type");
    sendJson(res, 200, await grant({ realm, tokens: parts.tokens, provider: parts.provider, client, form }));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    sendJson(res, error.status, { error: error.error, error_description: error.description });
  }
}

function statusOf(error: string): number {
  if (error === "invalid_client" || error === "unauthorized_client") return 401;
  return error === "access_denied" ? 403 : 400;
}

const shownFields = new Set(["grant_type", "client_id", "audience", "scope", "username", "redirect_uri", "subject_token_type", "requested_token_type"]);

/** Notes the call for tests: who wanted what. Secrets, passwords, codes and tokens are not kept. */
function record(req: IncomingMessage, res: ServerResponse, form: Form, calls: CallLog): void {
  const { clientId } = clientCredentials(req, form);
  const shown = Object.fromEntries(Object.entries(form).map(([name, value]) => [name, shownFields.has(name) ? value : "***"]));
  const call = calls.record(req, res, { ...shown, ...(clientId === undefined ? {} : { client_id: clientId }) });
  if (call.headers.authorization) call.headers.authorization = "***";
  if (form.grant_type) call.grant_type = form.grant_type;
}
