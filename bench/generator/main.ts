import autocannon, { type CannonRequest } from "autocannon";
import { percentile } from "../method/statistics";
import type { Order, Told } from "./orders";

// A process of its own: its work must neither stand in the server's way nor be counted as the server's.
process.on("message", (order: Order) => void carryOut(order));
process.on("disconnect", () => process.exit(0));
process.send?.("ready");

function carryOut(order: Order): void {
  const times: number[] = [];
  const statuses: Record<number, number> = {};
  const cpuAtStart = process.cpuUsage();
  const startedAt = performance.now();
  const hands = dealt(order.requests, order.connections);
  const cannon = autocannon({
    url: order.url, connections: order.connections, duration: order.seconds, requests: order.requests.slice(0, 1), timeout: 30, sampleInt: 250, ...(order.rate && { overallRate: order.rate }),
    setupClient: (client) => client.setRequests(hands.shift() ?? order.requests),
  });
  // Every time as it came: the package's own histogram rounds down to whole milliseconds.
  cannon.on("response", (_client, status, _bytes, responseMs) => {
    times.push(responseMs);
    statuses[status] = (statuses[status] ?? 0) + 1;
  });
  cannon.on("done", ({ errors, timeouts }) => {
    const wallSeconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpuAtStart);
    const refused = Object.entries(statuses).reduce((sum, [status, count]) => sum + (isRight(Number(status), order.expect) ? 0 : count), 0);
    const told: Told = {
      id: order.id, requests: times.length, failures: refused + errors + timeouts, statuses, wallSeconds, cpuSeconds: (user + system) / 1e6,
      p50: times.length ? percentile(times, 0.5) : Number.NaN, p99: times.length ? percentile(times, 0.99) : Number.NaN, max: times.reduce((most, time) => Math.max(most, time), 0),
    };
    process.send?.(told);
  });
}

const isRight = (status: number, expected: number | undefined) => (expected === undefined ? status >= 200 && status < 300 : status === expected);

/** Without this every connection would begin with the same first key each time, and a long list would never be reached to its end. */
function dealt(requests: CannonRequest[], connections: number): CannonRequest[][] {
  if (requests.length < connections) return Array.from({ length: connections }, () => requests);
  return Array.from({ length: connections }, (_, hand) => {
    const own = requests.filter((_request, i) => i % connections === hand);
    const from = Math.floor(Math.random() * own.length);
    return [...own.slice(from), ...own.slice(0, from)];
  });
}
