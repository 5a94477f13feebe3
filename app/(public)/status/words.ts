import type { StatusPart } from "@/lib/entry/status";

type Words = { name: string; what: string; away: string };

/** What each part is for, and what its absence means to people: what does not work, and what does all the same. */
export const partWords: Record<StatusPart, Words> = {
  identity: { name: "Identity service", what: "Keycloak: signing in, and renewing everybody’s access", away: "Nobody can sign in. Whoever is signed in stays signed in and can go on for some minutes; after that pages and calls wait until it is back." },
  database: { name: "Data store", what: "Keys, usage, tenants and settings", away: "Nothing can be looked up or changed here. Keys that were used lately may go on working." },
  sessions: { name: "Sessions", what: "Who is signed in, and how much has been used", away: "Pages for signed-in people wait, but nobody is signed out. API keys are still checked, with tighter limits." },
  flowise: { name: "Flowise", what: "Runs chatflows", away: "Chatflows do not run. Everything else works." },
  nflow: { name: "NFlow", what: "Apps and their data", away: "NFlow’s pages and calls fail. Everything else works." },
};
