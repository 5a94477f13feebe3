import type { DecisionView } from "@/lib/usage/schemas";

/** What a person reads of a decision: what happened, and what they can do. */
export type DecisionWords = { title: string; advice: string };

const words: Record<string, DecisionWords> = {
  revoked: { title: "The key was revoked", advice: "A revoked key stays revoked. Create another one and give it to the program." },
  expired: { title: "The key had expired", advice: "Move its expiry, or create another key." },
  disabled: { title: "The key was switched off", advice: "Switch it on again on its page, if it should work." },
  rotated: { title: "The program used an earlier secret", advice: "The time in which the earlier secret still worked was over. Give the program the present one." },
  owner: { title: "The key's owner may not act", advice: "An administrator can switch the person or the tenant on again." },
  role: { title: "The person has no role here", advice: "Ask an administrator for a role." },
  address: { title: "The call came from an address that is not on the key's list", advice: "Add the address to the key, if the program belongs there." },
  permission: { title: "A permission was missing", advice: "Give the key the permission, if your role has it." },
  rate_limit: { title: "The limit was used up", advice: "Wait as long as the answer's Retry-After says, space the calls, or raise the key's limit." },
  failures: { title: "Too many failed attempts came from this address", advice: "Find the program there that sends a wrong key, then wait a minute." },
  token: { title: "The token was revoked", advice: "Sign the program in again." },
  credits: { title: "Too few credits were left", advice: "Ask an administrator for credits." },
  grant: { title: "The owner has not given machine access", advice: "Give it under Machine access; keys act at the engines with it." },
  escalation: { title: "It would have given away more than the caller has", advice: "Ask for no more permissions, chatflows, addresses and time than the caller holds." },
  key_limit: { title: "There are as many keys as one person may have", advice: "Revoke a key that is not used any more." },
  idempotency: { title: "The idempotency key had been used for another call", advice: "Use a new one for each new call, and the same only to repeat one." },
  existence: { title: "There is no such thing, or it is not the caller's", advice: "Check the address, and the id in it." },
  method_not_allowed: { title: "The address does not take this method", advice: "The answer’s Allow header names those that it takes." },
  input: { title: "The input was not valid", advice: "Correct the fields that are named here." },
  size: { title: "The body was too large", advice: "Send less at once." },
  engine: { title: "The engine does not allow it", advice: "The person lacks a right over there, or has a step to take in its own interface." },
};

export function wordsOf({ check, code }: Pick<DecisionView, "check" | "code">): DecisionWords {
  return words[check] ?? { title: `The answer was ${code.replaceAll("_", " ")}`, advice: "The documentation of errors says what the code means." };
}
