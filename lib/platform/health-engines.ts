import { request } from "undici";
import { env } from "./env";
import { type Check, timed } from "./health";
import { sharedLook } from "./shared-look";

/** Whether the engines answer at all: no readiness of ours, since keys, pages and the rest of the API go on without them. Shared like `checkHealth`. */
export const checkEngines = sharedLook("engines", async (): Promise<{ flowise: Check; nflow: Check }> => {
  const { FLOWISE_URL, NFLOW_API_URL } = env();
  const [flowise, nflow] = await Promise.all([timed(() => answers(`${FLOWISE_URL}/api/v1/ping`)), timed(() => answers(NFLOW_API_URL))]);
  return { flowise, nflow };
});

/** A refusal is an answer; a gateway that speaks for an engine that is away is none. */
async function answers(url: string): Promise<void> {
  const { statusCode, body } = await request(url, { headersTimeout: 1500, bodyTimeout: 1500 });
  await body.dump();
  if (statusCode >= 500) throw new Error(`answers ${statusCode}`);
}
