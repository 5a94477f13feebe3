/** A path of ours to go back to, else the overview. Anything that a browser could read as another host is refused. */
export function safeReturnTo(given: unknown): string {
  if (typeof given !== "string" || given.length > 1000 || !/^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(given)) return "/overview";
  return given.startsWith("/sign-in") || given.startsWith("/signed-out") || given === "/" ? "/overview" : given;
}
