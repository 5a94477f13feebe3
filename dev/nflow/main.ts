import { startNflow } from "./server";

const { NFLOW_PORT, IDENTITY_ISSUER, NFLOW_AUDIENCE, NFLOW_STATE_FILE } = process.env;
if (!IDENTITY_ISSUER) {
  process.stderr.write("nflow: IDENTITY_ISSUER is missing\n");
  process.exit(1);
}
const nflow = await startNflow({ port: Number(NFLOW_PORT ?? 0), issuer: IDENTITY_ISSUER, audience: NFLOW_AUDIENCE, stateFile: NFLOW_STATE_FILE });
process.stdout.write(`nflow listening ${nflow.url}\n`);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void nflow.close().then(() => process.exit(0)));
