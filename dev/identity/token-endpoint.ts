import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import { type Call, type CallLog, sendJson } from "../lib/calls";
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
  const call = record(req, res, form, parts.calls);
  const { faults } = parts;
  const fate = await faults.meet(form.grant_type, res);
  noStore(res);
  if (fate.kind === "lost") return void res.destroy();
  if (fate.kind === "instead") {
    for (const [name, value] of Object.entries(fate.answer.headers)) res.setHeader(name, value);
    return sendJson(res, fate.answer.status, fate.answer.body);
  }
  const { status, body } = await carryOut(req, form, parts);
  call.carriedOut = status;
  await fate.hold();
  if (fate.loseAnswer) return void res.destroy();
  sendJson(res, status, faults.rewritten(body));
}

async function carryOut(req: IncomingMessage, form: Form, { realm, tokens, provider }: Parts): Promise<{ status: number; body: unknown }> {
  try {
    const client = authenticateClient(realm.clients, req, form);
    if (!form.grant_type) throw new OAuthError(400, "invalid_request", "Missing form parameter: grant_type");
    const grant = Object.hasOwn(grants, form.grant_type) ? grants[form.grant_type] : undefined;
    if (!grant) throw new OAuthError(400, "unsupported_grant_type", "Unsupported grant_type");
    return { status: 200, body: await grant({ realm, tokens, provider, client, form }) };
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return { status: error.status, body: { error: error.error, error_description: error.description } };
  }
}

const shownFields = new Set(["grant_type", "client_id", "audience", "scope", "username", "redirect_uri", "subject_token_type", "requested_token_type"]);

/** Notes the call for tests: who wanted what. Secrets, passwords, codes and tokens are not kept. */
function record(req: IncomingMessage, res: ServerResponse, form: Form, calls: CallLog): Call {
  const { clientId } = clientCredentials(req, form);
  const shown = Object.fromEntries(Object.entries(form).map(([name, value]) => [name, shownFields.has(name) ? value : "***"]));
  const call = calls.record(req, res, { ...shown, ...(clientId === undefined ? {} : { client_id: clientId }) });
  if (call.headers.authorization) call.headers.authorization = "***";
  if (form.grant_type) call.grant_type = form.grant_type;
  return call;
}
