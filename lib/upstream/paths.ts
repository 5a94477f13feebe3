import type { Engine } from "./whose-token";

/** What is forwarded, and nothing else: `:x` is one segment, percent-encoded here. */
const allowed: Record<Engine, readonly string[]> = {
  nflow: [
    "POST /builder/apps", "POST /builder/apps/search", "POST /builder/apps/remove", "GET /builder/apps/:name", "GET /me",
  ],
  flowise: [
    "POST /api/v1/prediction/:id", "PUT /api/v1/chatmessage/abort/:id/:chatId", "GET /api/v1/chatflows", "GET /api/v1/chatflows-streaming/:id",
    "GET /api/v1/apikey",
  ],
};

/** The address of a listed operation with its names filled in. Throws for what is not listed: that is our own mistake. */
export function pathOf(engine: Engine, method: string, template: string, names: Record<string, string> = {}): string {
  if (!allowed[engine].includes(`${method} ${template}`)) throw new Error(`${method} ${template} is not forwarded to ${engine}`);
  return template.replace(/:(\w+)/g, (_, name: string) => {
    const value = names[name];
    // A segment of dots would be resolved away by the other side.
    if (value === undefined || value === "" || /^\.+$/.test(value)) throw new Error(`the name ${name} cannot stand in a path`);
    return encodeURIComponent(value);
  });
}
