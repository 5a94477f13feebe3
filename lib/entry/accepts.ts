/** Whatever a route answers with, its refusals are problems, and a client that takes JSON takes those. */
const always = ["application/json", "application/problem+json"];

/**
 * Whether a caller can take an answer (RFC 9110, section 12.5.1). What cannot be read as a media range asks for nothing.
 * @param types what a route may answer with, besides JSON.
 */
export function accepts(header: string | undefined, types: readonly string[]): boolean {
  if (header === undefined || header.trim() === "" || header.includes("*/*")) return true;
  const ranges = header.split(",", 100).flatMap((part) => {
    const [range = "", ...parameters] = part.split(";").map((one) => one.trim().toLowerCase());
    return parameters.some((one) => /^q=0(\.0*)?$/.test(one)) || !/^[\w!#$&^.+-]+\/([\w!#$&^.+-]+|\*)$/.test(range) ? [] : [range];
  });
  return [...always, ...types].some((type) => ranges.some((range) => range === type || (range.endsWith("/*") && type.startsWith(range.slice(0, -1)))));
}
