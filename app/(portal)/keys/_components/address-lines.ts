/** What people typed, a line each, with the number that the line has in the field. */
export const linesOf = (text: string) => text.split("\n").flatMap((line, i) => (line.trim() ? [{ text: line.trim(), number: i + 1 }] : []));

/** A single address as people write it; ranges stay ranges. */
export const addressText = (range: string) => range.replace(range.includes(":") ? /\/128$/ : /\/32$/, "");
