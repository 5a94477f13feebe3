import { z } from "zod";
import type { Env } from "@/lib/platform/env";
import { signatureAlgorithms } from "@/lib/platform/signature-algorithms";
import { type Area, Blocked, failed, notApplicable, once, passed, type Verdict } from "../check";
import { type Answer, call } from "../http";

export const Discovery = z.object({
  issuer: z.string(), authorization_endpoint: z.url(), token_endpoint: z.url(), jwks_uri: z.url(), revocation_endpoint: z.url(), end_session_endpoint: z.url(),
  code_challenge_methods_supported: z.array(z.string()).default([]), grant_types_supported: z.array(z.string()).default([]),
  backchannel_logout_supported: z.boolean().optional(), backchannel_logout_session_supported: z.boolean().optional(),
});
export type Discovery = z.infer<typeof Discovery>;

const Keys = z.object({ keys: z.array(z.object({ alg: z.string().optional(), crv: z.string().optional(), use: z.string().optional() })) });
const unreachable = "see that KEYCLOAK_ISSUER is right, reachable from here, and ends in /realms/<name>";
const skewMaxSeconds = 30;
const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";

/** The realm's addresses, for every area that needs them. @throws Blocked where they cannot be had; the issuer's area says why. */
export function discoveryOf(env: Env): (signal: AbortSignal) => Promise<Discovery> {
  let reading: Promise<Discovery> | undefined;
  return (signal) => (reading ??= discover(env, signal).then((a) => Discovery.parse(a.json))).catch(() => { throw new Blocked("needs the issuer, see there"); });
}

const discover = (env: Env, signal: AbortSignal): Promise<Answer> => call(`${env.KEYCLOAK_ISSUER}/.well-known/openid-configuration`, { signal });

export function issuerArea(env: Env): Area {
  const answer = once("the issuer's discovery document", () => discover(env, AbortSignal.timeout(5000)));
  const document = async () => Discovery.safeParse((await answer()).json).data ?? Promise.reject(new Blocked("needs the issuer's discovery document, see above"));
  return {
    name: "issuer",
    checks: [
      { name: "discovery", cure: unreachable, run: async () => judgeDiscovery(await answer(), env.KEYCLOAK_ISSUER) },
      { name: "PKCE with S256", cure: unreachable, run: async () => ((await document()).code_challenge_methods_supported.includes("S256") ? passed("supported") : failed("not announced", "use Keycloak 26.2 or newer")) },
      { name: "token exchange", cure: unreachable, run: async () => judgeExchange(await document(), env.TOKEN_NARROWING) },
      { name: "back-channel logout", cure: unreachable, run: async () => judgeBackChannel(await document()) },
      { name: "signing keys", cure: unreachable, run: async (signal) => judgeKeys(await call((await document()).jwks_uri, { signal })) },
      { name: "clocks agree", cure: unreachable, run: async () => judgeClock(Date.parse((await answer()).header("date") ?? ""), Date.now()) },
    ],
  };
}

export function judgeDiscovery(answer: Pick<Answer, "status" | "json">, issuer: string): Verdict {
  if (answer.status === 404) return failed("there is no such realm", unreachable);
  const document = Discovery.safeParse(answer.json);
  if (answer.status !== 200 || !document.success) return failed(`answers ${answer.status} with something that is no discovery document`, unreachable);
  if (document.data.issuer === issuer) return passed(issuer);
  return failed(`the realm calls itself ${document.data.issuer}`, `set KEYCLOAK_ISSUER to that, or Keycloak's --hostname to the address that people use: every token names its issuer, and they must agree to the letter`);
}

function judgeExchange({ grant_types_supported: grants }: Discovery, narrowing: Env["TOKEN_NARROWING"]): Verdict {
  if (narrowing === "none") return notApplicable("TOKEN_NARROWING=none");
  return grants.includes(exchangeGrant) ? passed("supported") : failed("not announced", "use Keycloak 26.2 or newer with standard token exchange on, or set TOKEN_NARROWING=none and accept tokens that every engine could use at the other");
}

function judgeBackChannel(d: Discovery): Verdict {
  if (!d.backchannel_logout_supported) return notApplicable("this issuer announces none: a sign-out elsewhere is noticed at the next refresh");
  return d.backchannel_logout_session_supported ? passed("supported, by session") : passed("supported", "not by session: one sign-out then ends all of the person's sessions");
}

/** Which key signs is not announced, so each of them must be one that is accepted. */
export function judgeKeys(answer: Pick<Answer, "status" | "json">): Verdict {
  const cure = `sign with one of ${signatureAlgorithms.join(", ")} (EdDSA with Ed25519), and remove other signing keys from the realm`;
  const keys = (Keys.safeParse(answer.json).data?.keys ?? []).filter((key) => key.use !== "enc");
  if (keys.length === 0) return failed(`answers ${answer.status} without a signing key`, cure);
  const other = keys.find(({ alg, crv }) => !signatureAlgorithms.includes(alg ?? "") || (alg === "EdDSA" && crv !== undefined && crv !== "Ed25519"));
  if (other) return failed(`a signing key is ${[other.alg ?? "of no named algorithm", other.crv].filter(Boolean).join(" with ")}`, cure);
  return passed([...new Set(keys.map(({ alg }) => alg))].join(", "));
}

/** @param theirsMs what the issuer takes for now; NaN where it did not say. */
export function judgeClock(theirsMs: number, nowMs: number): Verdict {
  if (Number.isNaN(theirsMs)) return notApplicable("the issuer's answers carry no Date (Keycloak itself sends none): a token's time tells, where there is one");
  const skew = Math.round((nowMs - theirsMs) / 1000);
  if (Math.abs(skew) <= skewMaxSeconds) return passed(`${Math.abs(skew)} s apart`);
  return failed(`this machine is ${Math.abs(skew)} s ${skew > 0 ? "ahead" : "behind"}`, "synchronise both machines with NTP: tokens and logout tokens are judged by their times");
}
