import { z } from "zod";
import { startIdentity } from "./server";

const flag = z.enum(["true", "false"]).transform((value) => value === "true");

const Environment = z.object({
  IDENTITY_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  IDENTITY_STATE_FILE: z.string().min(1).optional(),
  SLUICE_URL: z.url().default("http://localhost:3000"),
  SLUICE_BACKCHANNEL_URL: z.url().optional(),
  SLUICE_WEB_SECRET: z.string().min(1).optional(),
  SLUICE_MACHINE_SECRET: z.string().min(1).optional(),
  SLUICE_DIRECT_SECRET: z.string().min(1).optional(),
  SLUICE_SYNC_SECRET: z.string().min(1).optional(),
  SLUICE_DEMO_PASSWORD: z.string().min(1),
  SLUICE_ACCESS_TOKEN_SECONDS: z.coerce.number().int().min(1).default(60),
  SLUICE_REVOKE_REFRESH: flag.default(false),
  SLUICE_REFRESH_REUSE: z.coerce.number().int().min(0).default(0),
});

const parsed = Environment.safeParse(process.env);
if (!parsed.success) {
  for (const issue of parsed.error.issues) console.error(`identity: ${issue.path.join(".")}: ${issue.message}`);
  process.exit(1);
}
const env = parsed.data;

const identity = await startIdentity({
  port: env.IDENTITY_PORT,
  stateFile: env.IDENTITY_STATE_FILE,
  sluiceUrl: env.SLUICE_URL,
  backchannelUrl: env.SLUICE_BACKCHANNEL_URL,
  demoPassword: env.SLUICE_DEMO_PASSWORD,
  secrets: { web: env.SLUICE_WEB_SECRET, machine: env.SLUICE_MACHINE_SECRET, direct: env.SLUICE_DIRECT_SECRET, sync: env.SLUICE_SYNC_SECRET },
  accessTokenSeconds: env.SLUICE_ACCESS_TOKEN_SECONDS,
  revokeRefreshToken: env.SLUICE_REVOKE_REFRESH,
  refreshTokenMaxReuse: env.SLUICE_REFRESH_REUSE,
});
console.log(`identity listening ${identity.issuer}`);

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    identity.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
