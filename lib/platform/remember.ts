/**
 * A pure function that remembers its last answers by its argument: for what every call asks again and the answer of which
 * cannot change. Bounded; the oldest argument is forgotten first.
 */
export function remember<T>(of: (argument: string) => T, max: number): (argument: string) => T {
  const known = new Map<string, T>();
  return (argument) => {
    const found = known.get(argument);
    if (found !== undefined) return found;
    const made = of(argument);
    if (known.size >= max) known.delete(known.keys().next().value ?? "");
    known.set(argument, made);
    return made;
  };
}
