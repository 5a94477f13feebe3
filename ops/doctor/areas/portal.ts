import type { Env } from "@/lib/platform/env";
import { type Area, failed, notApplicable, passed, type Verdict, wordsOf } from "../check";
import { type Answer, call } from "../http";

/** What can be seen of the portal from here. Keycloak may stand elsewhere, and see something else. */
export function portalArea(env: Env): Area {
  return {
    name: "portal",
    checks: [{
      name: "back-channel logout can arrive", cure: "see that AUTH_URL is right and that the proxy passes /api/auth/backchannel-logout",
      run: async (signal) => {
        const url = `${env.AUTH_URL}/api/auth/backchannel-logout`;
        try {
          return judgeLogout(await call(url, { signal, method: "POST", form: { logout_token: "asked-by-the-doctor" } }));
        } catch (error) {
          return notApplicable(`the portal does not answer at AUTH_URL from here (${wordsOf(error)}): start it and ask again, and see that Keycloak's host reaches ${url}`);
        }
      },
    }],
  };
}

/** A token that is none is refused with 400: then the endpoint is there, and judges. */
export function judgeLogout(answer: Pick<Answer, "status" | "header">): Verdict {
  if (answer.status === 400) return passed("a token that is none was refused");
  const isOurs = answer.header("x-request-id") !== null;
  if (answer.status === 503 && isOurs) return failed("the portal answers 503", "look at Redis: a sign-out that cannot be remembered is not taken");
  if (answer.status >= 500) return notApplicable(`${answer.status} comes from in front of the portal, which is not running or not reached: start the portal first and ask again. If it runs, point the proxy at its port`);
  return failed(`${answer.status} comes back`, "let the proxy in front pass POST /api/auth/backchannel-logout to the portal unchanged, without a sign-in of its own");
}
