/**
 * The signatures accepted from the realm: for sign-in, machine access, callers' tokens and logout tokens, and what `npm run doctor` asks for.
 * Never HMAC or `none`: the realm's public keys do not make those. Keycloak's EdDSA must use the curve Ed25519, its default.
 */
export const signatureAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
