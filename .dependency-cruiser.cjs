/**
 * Watches the arrows between rooms and nothing more: app, server, worker → api → entry, jobs → chatflows, nflow, people →
 * upstream → tokens keys sessions grants → credits usage webhooks → tenants → audit → access → platform.
 */
const order = [
  ["api"],
  ["entry", "jobs"],
  ["chatflows", "nflow", "people"],
  ["upstream"],
  ["tokens"],
  ["keys", "sessions", "grants"],
  ["credits", "usage", "webhooks"],
  ["tenants"],
  ["audit"],
  ["access"],
  ["platform"],
];
const lib = (names) => `^lib/(${names.join("|")})/`;

/** Each layer must not reach up, nor sideways into a neighbour of its own layer. */
const layers = order.flatMap((names, i) => {
  const above = order.slice(0, i).flat();
  const rules = above.length ? [{ name: `${names.join("-")}-reaches-up`, severity: "error", from: { path: lib(names), pathNot: "\\.test\\.ts$" }, to: { path: lib(above) } }] : [];
  const sideways = names.length > 1 ? names.map((name) => ({ name: `${name}-reaches-sideways`, severity: "error", from: { path: lib([name]), pathNot: "\\.test\\.ts$" }, to: { path: lib(names.filter((n) => n !== name)) } })) : [];
  return [...rules, ...sideways];
});

module.exports = {
  forbidden: [
    ...layers,
    // The access room is pure: of the platform it knows the errors and nothing else.
    { name: "access-is-pure", severity: "error", from: { path: "^lib/access/", pathNot: "\\.test\\.ts$" }, to: { path: "^lib/platform/", pathNot: "^lib/platform/errors" } },
    { name: "lib-knows-no-page", severity: "error", from: { path: "^lib/" }, to: { path: "^app/" } },
    { name: "product-knows-no-demo", severity: "error", from: { path: "^(app|lib|server|server\\.ts|middleware\\.ts)", pathNot: "\\.test\\.ts$" }, to: { path: "^(dev|ops|e2e|test|bench)/" } },
    { name: "operators-commands-know-the-platform", severity: "error", from: { path: "^ops/", pathNot: "\\.test\\.ts$" }, to: { path: "^(app|dev|server|lib/(?!platform/))" } },
    { name: "features-by-their-index", comment: "Others import lib/<feature>, its schemas, or (of the portal's sign-in) lib/sessions/auth(-doors)?; nothing deeper.", severity: "error",
      from: { path: "^(app|server|lib/([^/]+))/", pathNot: "\\.test\\.ts$" },
      to: { path: "^lib/(chatflows|nflow|people|keys|tokens|sessions|grants|credits|usage|webhooks|upstream|tenants|audit|access)/", pathNot: ["^lib/$2/", "^lib/[^/]+/(index|schemas)\\.ts$", "^lib/sessions/auth(-doors)?\\.ts$", "^lib/access/"] } },
    { name: "interface-parts-know-no-domain", severity: "error", from: { path: "^app/_components/" }, to: { path: "^lib/(?!platform/problem)" } },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(lib/generated|\\.next|dist)" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default", "types"] },
  },
};
