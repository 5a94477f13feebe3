import type { Mapper } from "./representations";
import type { ClientKind } from "./options";

export type Change = { field: string; from: string; to: string };

/** One call, or few, to the admin API; everything is named by what a person would call it, ids are looked up when it is done. */
export type Deed =
  | { do: "create-role"; role: string }
  | { do: "create-client"; clientId: string; representation: Record<string, unknown>; secretOf: ClientKind | null }
  | { do: "update-client"; clientId: string; fields: Record<string, unknown>; attributes: Record<string, string> }
  | { do: "add-mapper"; clientId: string; mapper: Mapper }
  | { do: "update-mapper"; clientId: string; mapper: Mapper }
  | { do: "add-scope"; clientId: string; scope: string; as: "default" | "optional"; insteadOf: "optional" | null }
  | { do: "allow-roles"; clientId: string; roles: string[] }
  | { do: "allow-service-roles"; clientId: string; roles: string[] }
  | { do: "give-service-roles"; clientId: string; roles: string[] }
  | { do: "update-realm"; settings: Record<string, unknown> };

/** What is said of one thing, and what is to be done about it. `look` is for the operator to judge: we leave it alone. */
export type Step =
  | { verdict: "create" | "change"; what: string; changes: Change[]; deeds: Deed[] }
  | { verdict: "leave" | "look"; what: string; why: string };
