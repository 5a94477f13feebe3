/**
 * A path of ours that somebody wants to be led back to, or null for anything that a browser could read as another host: an absolute
 * address, `//host`, backslashes and control characters that browsers mend into one.
 */
export function ownPath(given: unknown): string | null {
  return typeof given === "string" && given.length <= 1000 && /^\/(?![/\\])[^\\\u0000-\u001f]*$/.test(given) ? given : null;
}
