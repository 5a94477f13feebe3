import type { Env } from "@/lib/platform/env";
import { type Area, failed, passed, type Verdict } from "../check";
import { call } from "../http";

export function nflowArea(env: Env): Area {
  return {
    name: "NFlow",
    checks: [{
      name: "refuses whoever brings no token", cure: "see that NFLOW_API_URL is right (it ends in /v1) and reachable from here",
      run: async (signal) => judgeAnonymous((await call(`${env.NFLOW_API_URL}/me`, { signal })).status),
    }],
  };
}

export function judgeAnonymous(status: number): Verdict {
  if (status === 401 || status === 403) return passed(String(status));
  if (status === 404) return failed("404", "set NFLOW_API_URL to the API's base with its /v1: nothing of NFlow answers below this one");
  if (status >= 200 && status < 300) return failed("it answers without a token", "switch on NFlow's check of Keycloak tokens: everybody who reaches it is anybody they like");
  return failed(`answers ${status}`, "look at NFlow, and at the proxy in front of it");
}
