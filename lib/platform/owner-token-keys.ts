/**
 * Where an owner's access tokens are cached in Redis. Named here because two rooms need it: `lib/grants` keeps the tokens, and `lib/tenants` drops
 * them when a person's role changes, since the engines read roles from the token.
 */
export const ownerTokenKinds = ["self", "nflow", "flowise"] as const;
export type OwnerTokenKind = (typeof ownerTokenKinds)[number];
export const ownerTokenKey = (userId: string, kind: OwnerTokenKind) => `sl:g:{${userId}}:t:${kind}`;
