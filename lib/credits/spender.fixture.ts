// A process that holds and ends credits as fast as it can, for the test that kills it.
import { randomUUID } from "node:crypto";
import { permissionMask } from "@/lib/access";
import { holdCredits, releaseHold, settleHold } from ".";

const [userId = "", tenantId = ""] = process.argv.slice(2);
const ctx = {
  requestId: randomUUID(), tenantId, permissions: permissionMask(["*"]), ip: null, userAgent: null,
  actor: { type: "user", person: { userId, tenantId, tenant: "", issuer: "", sub: "", username: "", email: null, emailVerified: false, name: null, role: "user" }, credential: { kind: "gateway", familyId: "" } },
} as const;

process.stdout.write("started\n");
await Promise.all(Array.from({ length: 8 }, async (_, i) => {
  for (;;) {
    const hold = await holdCredits(ctx, { amount: 1 + (i % 3), chatflowId: randomUUID() });
    await (Math.random() < 0.2 ? settleHold(hold) : releaseHold(hold));
  }
}));
