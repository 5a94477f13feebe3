// What the commands of `bootstrap.mjs` take. Those that are not here read their own arguments.
const suites = ["types", "lint", "arrows", "protocol", "unit", "http", "identity", "e2e"];
const commands = {
  demo: { use: "npm run demo [-- --fresh]", text: "Installs, builds and starts every part embedded.", options: { "--fresh": "starts over: removes what earlier runs left in .data" } },
  dev: { use: "npm run dev [-- --fresh]", text: "Starts the demo with pages that reload as you edit.", options: { "--fresh": "starts over: removes what earlier runs left in .data" } },
  build: { use: "npm run build", text: "Builds the pages and the server.", options: {} },
  test: { use: "npm test [-- SUITE…]", text: "Runs all suites, or the named ones.", options: {}, words: suites },
  "test:real": { use: "npm run test:real [-- SUITE…]", text: "Runs the suites against a real Keycloak and a real Flowise.", options: {}, words: ["protocol", "operators", "storm", "http", "identity", "e2e"] },
  bench: { use: "npm run bench [-- ROW… --quick]", text: "Measures what the gateway costs and writes bench/results.md.", options: { "--quick": "shorter and fewer rounds" }, words: null },
};

/**
 * Reads the arguments of a command before anything is installed or started.
 *
 * @returns the text to show and with which exit code, or null when the command is to run.
 */
export function answerBefore(command, args) {
  const known = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!known) return null;
  const { use, text, options, words = [] } = known;
  const lines = [`Usage: ${use}`, text, ...Object.entries(options).map(([name, what]) => `  ${name}  ${what}`), ...(words?.length ? [`Suites: ${words.join(", ")}`] : [])];
  if (args.some((arg) => arg === "--help" || arg === "-h")) return { code: 0, text: lines.join("\n") };
  const strange = args.find((arg) => (arg.startsWith("-") ? !Object.hasOwn(options, arg) : words !== null && !words.includes(arg)));
  return strange === undefined ? null : { code: 2, text: `Unknown ${strange.startsWith("-") ? "option" : "argument"} ${strange}.\n${lines.join("\n")}` };
}
