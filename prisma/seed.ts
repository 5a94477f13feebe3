import { randomUUID } from "node:crypto";
import pg from "pg";

export type SeedPerson = { sub: string; username: string; email: string; name: string; role: "admin" | "user" | "viewer" | null; tenant: string; /** Flowise ids. */ chatflows: string[] };

/**
 * People whom Keycloak knows but who have not signed in yet, and the chatflows that they start with. Runs twice without
 * harm: what is there stays as it is, an assignment that was taken away included.
 */
export async function seed(databaseUrl: string, issuer: string, people: SeedPerson[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("BEGIN");
    for (const person of people) {
      await client.query(`INSERT INTO "Tenant" (id, slug, name, "planId", "updatedAt") SELECT $1, $2, $2, id, now() FROM "Plan" WHERE name = 'default' ON CONFLICT (slug) DO NOTHING`, [randomUUID(), person.tenant]);
      await client.query(
        `INSERT INTO "User" (id, issuer, sub, "tenantId", username, email, "emailVerified", name, role, "updatedAt")
         SELECT $1, $2, $3, t.id, $4, $5, true, $6, $7::"Role", now() FROM "Tenant" t WHERE t.slug = $8 ON CONFLICT (issuer, sub) DO NOTHING`,
        [randomUUID(), issuer, person.sub, person.username, person.email, person.name, person.role, person.tenant],
      );
      for (const flowiseId of person.chatflows) {
        await client.query(
          `INSERT INTO "ChatflowAssignment" (id, "tenantId", "userId", "chatflowId", "assignedBy")
           SELECT $1, u."tenantId", u.id, c.id, 'seed' FROM "User" u, "Chatflow" c WHERE u.issuer = $2 AND u.sub = $3 AND c."flowiseId" = $4 ON CONFLICT ("userId", "chatflowId") DO NOTHING`,
          [randomUUID(), issuer, person.sub, flowiseId],
        );
      }
    }
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
