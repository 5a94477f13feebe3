import { z } from "@hono/zod-openapi";
import { type ApiApp, route } from "@/lib/entry/api";
import { listPeople, listPersonChatflows, revokePerson, syncPeople, syncPersonByEmail, updatePerson } from "@/lib/people";
import { ListPeopleInput, PersonChatflows, PersonRow, RevokePersonAnswer, RevokePersonInput, SyncByEmailAnswer, SyncByEmailInput, UpdatePersonInput, UserSyncAnswer } from "@/lib/people/schemas";
import { named } from "./named";
import { linkNextPage } from "./next-page";

const tag = "People";
const permission = "admin:users" as const;
const Person = named(PersonRow, "Person");
/** An id of the wrong shape was never given out: 404 like any other, so it is not judged here. */
const Id = z.object({ id: z.string().max(100) });

/** People of contract section 8. The same under `/api/admin` and `/api/v1/admin`. */
export function adminUserRoutes(app: ApiApp): void {
  for (const base of ["/api/admin/users", "/api/v1/admin/users"]) {
    route(app, { method: "get", path: base, tag, summary: "List people of every tenant, by username; all of them, or with `limit` a page and a `Link` to the next", permission, query: ListPeopleInput, answers: [{ status: 200, description: "People.", schema: z.array(Person) }] },
      async (ctx, { query }, c) => {
        const { people, nextCursor } = await listPeople(ctx, query);
        linkNextPage(c, nextCursor);
        return c.json(people);
      });

    route(app, {
      method: "post", path: `${base}/sync`, tag, summary: "Copy Keycloak's people now", permission, answers: [{ status: 200, description: "What changed.", schema: named(UserSyncAnswer, "UserSync") }],
      description: "Needs a service account (`KEYCLOAK_SYNC_CLIENT_ID`) that may view users. Who is disabled or gone in Keycloak is deactivated here; nobody is when its list could not be read to the end.",
    }, async (ctx, _input, c) => c.json(await syncPeople(ctx)));

    route(app, { method: "post", path: `${base}/sync-by-email`, tag, summary: "Copy one person of Keycloak's, by verified email", permission, creates: true, body: SyncByEmailInput, answers: [{ status: 200, description: "The person as they are here now.", schema: named(SyncByEmailAnswer, "UserSyncByEmail") }] },
      async (ctx, { body }, c) => c.json(await syncPersonByEmail(ctx, body)));

    route(app, { method: "get", path: `${base}/:id/chatflows`, tag, summary: "Which chatflows are assigned to a person", permission, params: Id, answers: [{ status: 200, description: "Assignments, those that were taken away included.", schema: named(PersonChatflows, "PersonChatflows") }] },
      async (ctx, { params }, c) => c.json(await listPersonChatflows(ctx, params.id)));

    route(app, {
      method: "post", path: `${base}/:id/revoke`, tag, summary: "Cut a person off: end sessions, tokens, keys and machine access, on every replica before this answers", permission, params: Id, body: RevokePersonInput, bodyOptional: true,
      description: "Everything ends but what is said to be `false`; with `disable: true` the person is kept out until an administrator lets them in again. Where the service account may do that (`manage-users`), and both sessions and grant are to end, Keycloak's own sessions end too.",
      answers: [{ status: 200, description: "What ended, counted.", schema: named(RevokePersonAnswer, "PersonRevoked") }],
    }, async (ctx, { params, body }, c) => c.json(await revokePerson(ctx, params.id, body)));

    route(app, { method: "patch", path: `${base}/:id`, tag, summary: "Keep a person out, or let them in again", permission, params: Id, body: UpdatePersonInput, answers: [{ status: 200, description: "The person. `is_active` stays false while Keycloak does not have them enabled.", schema: Person }] },
      async (ctx, { params, body }, c) => c.json(await updatePerson(ctx, params.id, body)));
  }
}
