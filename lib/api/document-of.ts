import type { ApiApp } from "@/lib/entry/api";
import { env } from "@/lib/platform/env";
import manifest from "@/package.json";

const description = `One API in front of Flowise and NFlow. Every call reaches the engine as the person it is made for.

Send an API key in \`X-API-Key\` (or \`Authorization: Bearer\`). Errors are RFC 9457 problems with a \`code\`; every answer carries \`X-Request-Id\`.`;

/** The OpenAPI 3.1 document, grown from the schemas that parse the requests. */
export function documentOf(app: ApiApp): object {
  app.openAPIRegistry.registerComponent("securitySchemes", "apiKey", { type: "apiKey", in: "header", name: "X-API-Key", description: "An API key of the person whom the call is made for." });
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer", description: "An API key, an access token of ours, or a Keycloak access token whose audience names our client." });
  app.openAPIRegistry.registerComponent("securitySchemes", "session", { type: "apiKey", in: "cookie", name: "sluice.session", description: "The portal's own session; unsafe methods need its Origin." });
  return app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "Sluice", version: manifest.version, description }, servers: [{ url: env().AUTH_URL }] });
}
