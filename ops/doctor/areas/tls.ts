import { connect } from "node:tls";
import type { Env } from "@/lib/platform/env";
import { type Area, type Check, failed, notApplicable, passed, type Verdict } from "../check";

/** Fewer days left than this, and nobody may notice in time. */
const daysMin = 7;
const cure = "see that the address is right and reachable from here, and that its certificate is from an authority this machine knows (NODE_EXTRA_CA_CERTS for one of your own)";

export function tlsArea(env: Env): Area {
  const addresses = { AUTH_URL: env.AUTH_URL, KEYCLOAK_ISSUER: env.KEYCLOAK_ISSUER, NFLOW_API_URL: env.NFLOW_API_URL, FLOWISE_URL: env.FLOWISE_URL };
  return { name: "certificates", checks: Object.entries(addresses).map(([name, address]) => certificateCheck(name, new URL(address))) };
}

function certificateCheck(name: string, url: URL): Check {
  return {
    name: `certificate of ${name}`, cure,
    run: async (signal) => (url.protocol === "https:" ? judgeExpiry(await expiryOf(url, signal), Date.now()) : notApplicable("plain http")),
  };
}

export function judgeExpiry(validTo: Date, nowMs: number): Verdict {
  const days = Math.floor((validTo.getTime() - nowMs) / 86_400_000);
  if (days < daysMin) return failed(days < 0 ? "has expired" : `${days} days left`, "renew the certificate, and see why it did not renew itself");
  return passed(`${days} days left`);
}

/** Shakes hands as a client would. @throws what Node says of a certificate that it does not trust. */
function expiryOf(url: URL, signal: AbortSignal): Promise<Date> {
  return new Promise((done, fail) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(url.port || 443), servername: /^[\d.]+$|:/.test(host) ? undefined : host }, () => {
      done(new Date(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
    socket.once("error", fail);
    signal.addEventListener("abort", () => socket.destroy(), { once: true });
  });
}
