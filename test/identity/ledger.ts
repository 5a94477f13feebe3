import { KeycloakAdmin } from "../../dev/real/keycloak/admin";
import { callsTo } from "../http/client";
import { isReal } from "./fleet";

type TokenCall = { at: string; body: { grant_type?: string; client_id?: string } | null; carriedOut?: number };

const admin = isReal ? new KeycloakAdmin(process.env.SLUICE_REAL_KEYCLOAK ?? "", "sluice") : null;

/** What the identity provider was asked, and what it did: both sides of the proxy. */
export type Ledger = {
  /** Instants at which refreshes reached the proxy, ms. */
  sentAt: number[];
  sent: number;
  /** Refreshes that the provider granted, and refused, by itself; a fault of a test is neither. */
  granted: number;
  refused: number;
};

/**
 * Refreshes of a client since `from`. A real Keycloak's own events must say the same as its proxy.
 *
 * @param from ms; calls of the tests before are not counted.
 */
export async function refreshesSince(from: number, client = "sluice-web"): Promise<Ledger> {
  const calls = (await callsTo("identity") as unknown as TokenCall[]).filter(({ at, body }) => Date.parse(at) >= from && body?.grant_type === "refresh_token" && body.client_id === client);
  const done = calls.filter(({ carriedOut }) => carriedOut !== undefined);
  const ledger = { sentAt: calls.map(({ at }) => Date.parse(at)), sent: calls.length, granted: done.filter((c) => c.carriedOut === 200).length, refused: done.filter((c) => c.carriedOut !== 200).length };
  if (admin) {
    const events = await admin.of<{ time: number; type: string; clientId: string }[]>("GET", "/events?type=REFRESH_TOKEN&type=REFRESH_TOKEN_ERROR&max=10000");
    const ours = events.filter(({ time, clientId }) => time >= from && clientId === client);
    const said = { granted: ours.filter(({ type }) => type === "REFRESH_TOKEN").length, refused: ours.filter(({ type }) => type === "REFRESH_TOKEN_ERROR").length };
    if (said.granted !== ledger.granted || said.refused !== ledger.refused) throw new Error(`Keycloak's events say ${JSON.stringify(said)}, its proxy ${JSON.stringify(ledger)}`);
  }
  return ledger;
}

/** All calls of the token endpoint since `from`, of whatever grant type. */
export async function tokenCallsSince(from: number): Promise<TokenCall[]> {
  return (await callsTo("identity") as unknown as TokenCall[]).filter(({ at, body }) => Date.parse(at) >= from && body?.grant_type !== undefined);
}
