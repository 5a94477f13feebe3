import type { Permission } from "@/lib/access/permissions";

type Template = { label: string; permissions: Permission[] };

const templates: { label: string; has: (name: Permission) => boolean }[] = [
  { label: "Chat only", has: (name) => name === "chatflows:read" || name === "ai:predict" },
  { label: "Read only", has: (name) => name.endsWith(":read") },
  { label: "NFlow automation", has: (name) => name.startsWith("nflow:") },
  { label: "Chat and NFlow", has: (name) => name === "chatflows:read" || name === "ai:predict" || name.startsWith("nflow:") },
  { label: "Everything you may", has: () => true },
];

/** What the owner can give at a stroke; a template of which they hold nothing is left out. */
export function templatesFor(offered: readonly Permission[]): Template[] {
  return templates.map(({ label, has }) => ({ label, permissions: offered.filter(has) })).filter((template) => template.permissions.length > 0);
}

/** The template that a choice is equal to, if any. */
export function templateOf(chosen: readonly string[], offered: readonly Permission[]): string | undefined {
  return templatesFor(offered).find(({ permissions }) => permissions.length === chosen.length && permissions.every((name) => chosen.includes(name)))?.label;
}
