import type { Discovery } from "./areas/issuer";
import type { Doctor } from "./doctor";
import { type Answer, basic, call } from "./http";

/** Signs the doctor's person in by password, through the client for that. */
export type ByPassword = { client: { id: string; secret: string }; username: string; signIn(scope: string, signal: AbortSignal): Promise<Answer> };

/**
 * One sign-in after the other: with brute force protection on, Keycloak answers the second of two at once like a wrong password.
 * @returns null where the settings do not allow it, or name nobody.
 */
export function byPasswordOf({ env, person }: Doctor, discovery: (signal: AbortSignal) => Promise<Discovery>): ByPassword | null {
  const { KEYCLOAK_DIRECT_CLIENT_ID: id, KEYCLOAK_DIRECT_CLIENT_SECRET: secret } = env;
  if (!env.PASSWORD_GRANT_ENABLED || !id || !secret || !person) return null;
  const client = { id, secret };
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (scope: string, signal: AbortSignal) =>
    call((await discovery(signal)).token_endpoint, { signal, method: "POST", headers: basic(client), form: { grant_type: "password", ...person, scope } });
  return {
    client, username: person.username,
    signIn(scope, signal) {
      const answer = last.then(() => ask(scope, signal));
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}
