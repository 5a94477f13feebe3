import pg from "pg";
import { seed } from "../prisma/seed";
import { chatflowsOf } from "./flowise/flows";
import { people as realmPeople } from "./identity/realm";
import { type Stack, type StackOptions, startStack } from "./stack";

/** What `npm run demo` writes to `.data/demo.json`: a promise to scripts and tests. */
export type Demo = {
  url: string; pid: number; adminToken: string; metricsToken: string; issuer: string; nflowUrl: string; flowiseUrl: string; databaseUrl: string; redisUrl: string;
  users: { username: string; password: string; role: "admin" | "user" | "viewer" | null; tenant: string }[];
};

const people = realmPeople.map((p) => ({
  sub: p.id, username: p.username, email: p.email, name: `${p.firstName} ${p.lastName}`, role: p.roles[0] ?? null, tenant: p.groups[0]?.slice(1) ?? "default", chatflows: chatflowsOf[p.username] ?? [],
}));

/** The embedded stack with the demo's people known and their chatflows assigned. */
export async function startSeededStack(options: StackOptions): Promise<{ stack: Stack; demo: Demo }> {
  const stack = await startStack(options);
  try {
    await firstSync(stack.databaseUrl);
    await seed(stack.databaseUrl, stack.issuer, people);
  } catch (error) {
    await stack.stop();
    throw error;
  }
  const demo: Demo = {
    url: stack.url, pid: process.pid, adminToken: stack.adminToken, metricsToken: stack.metricsToken, issuer: stack.issuer, nflowUrl: stack.nflowUrl, flowiseUrl: stack.flowiseUrl, databaseUrl: stack.databaseUrl, redisUrl: stack.redisUrl,
    users: people.map((p) => ({ username: p.username, password: stack.demoPassword, role: p.role, tenant: p.tenant })),
  };
  return { stack, demo };
}

/** The worker copies Flowise's chatflows at its start; assignments need them. */
async function firstSync(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (let attempt = 0; attempt < 600; attempt++) {
      const { rowCount } = await client.query(`SELECT 1 FROM "SyncRun" WHERE kind = 'chatflows' AND succeeded LIMIT 1`);
      if (rowCount) return;
      await new Promise((done) => setTimeout(done, 100));
    }
  } finally {
    await client.end();
  }
  throw new Error("Flowise's chatflows did not arrive within 60 s; see .data/web.log");
}
