import { startFlowise } from "./server";

const { FLOWISE_PORT, FLOWISE_SERVICE_KEY, FLOWISE_BOUND_KEY, FLOWISE_STATE_FILE, FLOWISE_CHECK_TOKENS, IDENTITY_ISSUER } = process.env;
if (!FLOWISE_SERVICE_KEY) {
  process.stderr.write("flowise: FLOWISE_SERVICE_KEY is missing\n");
  process.exit(1);
}
const flowise = await startFlowise({ port: Number(FLOWISE_PORT ?? 0), serviceKey: FLOWISE_SERVICE_KEY, boundKey: FLOWISE_BOUND_KEY, stateFile: FLOWISE_STATE_FILE, issuer: FLOWISE_CHECK_TOKENS === "true" ? IDENTITY_ISSUER : undefined });
process.stdout.write(`flowise listening ${flowise.url}\n`);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void flowise.close().then(() => process.exit(0)));
