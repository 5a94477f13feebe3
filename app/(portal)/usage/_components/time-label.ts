import type { Granularity } from "@/lib/usage/schemas";

/** Times of a card's plots and table. All are UTC, in which hours and days are counted, so that plot and table name the same hour alike. */
export const zoneName = "UTC";

const format = (options: Intl.DateTimeFormatOptions) => (at: string) => new Intl.DateTimeFormat("en", { ...options, timeZone: zoneName }).format(new Date(at));
const axis = { day: format({ day: "numeric", month: "short" }), hour: format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) };
const exact = { day: format({ dateStyle: "full" }), hour: format({ dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }) };

export const axisLabel = (at: string, granularity: Granularity) => axis[granularity](at);
export const exactLabel = (at: string, granularity: Granularity) => `${exact[granularity](at)} ${zoneName}`;
/** As it stands in the table, to be read against the axis. */
export const rowLabel = (at: string, granularity: Granularity) => at.slice(0, granularity === "day" ? 10 : 16).replace("T", " ");
