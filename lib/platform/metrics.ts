import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, type MetricObjectWithValues, type MetricValue, Registry } from "prom-client";

/**
 * What operators see of this process, in Prometheus' words. Labels are lists written down here and never ids or names of people:
 * a label's value makes a series that is kept for ever. Counters are plain numbers until somebody asks for them, so that
 * counting costs a call next to nothing; what is counted at every call holds its `cell`.
 */
const prefix = "sluice_";

type Allowed = Record<string, readonly string[]>;
export type Labels<A extends Allowed> = { [K in keyof A]: A[K][number] };
/** Nothing is asked for where there are no labels. */
type Asked<A extends Allowed> = keyof A extends never ? [] : [labels: Labels<A>];

/** One series of a counter: `cell.count += 1`. */
export type Cell = { count: number };

class Tally<A extends Allowed> {
  private readonly cells = new Map<string, Cell & { labels: Labels<A> }>();
  private readonly names: string[];

  constructor(registry: Registry, name: string, help: string, allowed: A) {
    this.names = Object.keys(allowed);
    const { cells } = this;
    new Counter({
      name: prefix + name, help, labelNames: this.names, registers: [registry],
      collect() {
        this.reset();
        for (const { labels, count } of cells.values()) this.inc(labels, count);
      },
    });
    // What there is to say from the start is said from the start, so that the first increase is seen as one.
    const [only, ...more] = this.names;
    if (only === undefined) this.cell(...([] as unknown as Asked<A>));
    else if (more.length === 0) for (const value of allowed[only] ?? []) this.cell(...([{ [only]: value }] as unknown as Asked<A>));
  }

  /** To be kept by whoever counts often: a look-up less for each. */
  cell(...[labels]: Asked<A>): Cell {
    const given = (labels ?? {}) as Labels<A>;
    const key = this.names.map((name) => given[name]).join("|");
    let cell = this.cells.get(key);
    if (!cell) this.cells.set(key, (cell = { labels: given, count: 0 }));
    return cell;
  }

  inc(...labels: Asked<A>): void {
    this.cell(...labels).count += 1;
  }
}

function timer<const A extends Allowed>(registry: Registry, name: string, help: string, allowed: A, buckets: number[]) {
  const histogram = new Histogram({ name: prefix + name, help, labelNames: Object.keys(allowed), buckets, registers: [registry] });
  return { observe: (seconds: number, ...[labels]: Asked<A>) => (labels ? histogram.observe(labels, seconds) : histogram.observe(seconds)) };
}

function level<const A extends Allowed>(registry: Registry, name: string, help: string, allowed: A) {
  const gauge = new Gauge({ name: prefix + name, help, labelNames: Object.keys(allowed), registers: [registry] });
  return {
    set: (value: number, ...[labels]: Asked<A>) => (labels ? gauge.set(labels, value) : gauge.set(value)),
    /** Forgets what was set, for series that come and go. */
    reset: () => gauge.reset(),
  };
}

/** The words that sessions' ends are recorded with. */
const sessionEnds = ["signed_out", "signed_in_again", "signed_out_elsewhere", "signed_out_at_keycloak", "backchannel", "cut_off", "kept_out", "disabled_at_keycloak", "deleted_at_keycloak", "limit", "rotation_lost", "user_disabled", "ended_at_keycloak", "tampered", "other"] as const;
/** A reason that nobody foresaw is counted, and makes no series of its own. */
export const sessionEndOf = (reason: string) => sessionEnds.find((known) => known === reason) ?? "other";

const none = {};
const text: readonly string[] = [];
const toSeconds = { fast: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1], slow: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

function create() {
  const registry = new Registry();
  const counter = <const A extends Allowed>(name: string, help: string, allowed: A) => new Tally(registry, name, help, allowed);
  return {
    registry,
    /** Requests to Keycloak's token endpoint that redeem a refresh token, one each. */
    refresh: counter("refresh_total", "Refresh tokens sent to Keycloak, by what became of it.", {
      result: ["ok", "invalid_grant", "refused", "misconfigured", "personal", "busy", "unavailable"],
      /** Why Keycloak said `invalid_grant`; "none" otherwise. */
      reason: ["none", "user_disabled", "reused", "stale", "ended", "expired", "consent", "other"],
      /** Whose token it was: a browser session's or an owner's machine access. */
      holder: ["session", "grant"],
    }),
    refreshJoined: counter("refresh_joined_total", "Calls that waited for somebody else's refresh or narrowing instead of making one.", { tier: ["process", "redis"] }),
    lockLost: counter("lock_lost_total", "Refresh locks that were not renewed in time, so that the work began anew.", none),
    commitRefused: counter("commit_refused_total", "Refreshed tokens that were not written, because the session ended or somebody else had written.", none),
    upstream401: counter("upstream_401_total", "Answers of an engine that did not accept the person's token.", { upstream: ["nflow", "flowise"] }),
    /** The second 401 for one call: most often a wrong audience, not an old token. */
    upstreamUnauthorised: counter("upstream_unauthorised_total", "Calls given up after an engine refused a fresh token too, with the audience that it was made for.", { upstream: ["nflow", "flowise"], audience: text }),
    retry: counter("retry_total", "Second tries after an engine's 401.", { result: ["ok", "unauthorised", "failed"] }),
    bcl: counter("bcl_total", "Back-channel logout requests.", { result: ["accepted", "invalid", "replayed", "limited", "unavailable"] }),
    sessionCreated: counter("session_created_total", "Sessions made.", { reason: ["sign_in", "confirmed"] }),
    sessionEnded: counter("session_ended_total", "Sessions ended; those that merely time out are not seen.", { reason: sessionEnds }),
    vaultMint: counter("vault_mint_total", "Access tokens obtained for owners of keys from their grants.", { strategy: ["offline", "jwt-grant"], result: ["ok", "reauth_required", "disabled", "unavailable"] }),
    tokenFamilies: counter("token_families_total", "Sign-ins of programs, and how they ended.", { event: ["issued", "refreshed", "revoked", "reused"] }),
    httpRequests: counter("http_requests_total", "Requests answered, by who answered and by the first digit of the status; 499 when the caller left before the answer.", { door: ["api", "pages"], status: ["1xx", "2xx", "3xx", "4xx", "5xx", "499"] }),
    keyChecks: counter("key_checks_total", "Checks of keys, tokens and people, by verdict.", { verdict: ["admitted", "invalid", "revoked", "expired", "disabled", "rotated", "owner", "address", "permission", "limited", "other"] }),

    sessionToken: timer(registry, "session_token_seconds", "From asking for an engine's token to having it.", { how: ["warm", "refreshed", "waited"] }, [0.0005, ...toSeconds.slow]),
    lockWait: timer(registry, "lock_wait_seconds", "Waiting for somebody else's refresh.", none, toSeconds.slow),
    tokenEndpoint: timer(registry, "token_endpoint_seconds", "Keycloak's token endpoint, also when it did not answer.", { grant: ["refresh_token", "exchange", "password", "code", "assertion", "client"] }, toSeconds.slow),
    redis: timer(registry, "redis_seconds", "One use of Redis: most often one round trip.", none, toSeconds.fast),

    sessions: level(registry, "sessions", "Live sessions, counted at most each 15 s.", none),
    blobsByKid: level(registry, "blobs_by_kid", "Sessions by the key of SESSION_KEKS that encrypts their tokens.", { kid: text }),
    breakerOpen: level(registry, "breaker_open", "1 while Keycloak's token endpoint is left alone after failures.", none),
    clockOffset: level(registry, "clock_offset_seconds", "Keycloak's clock less ours, to the second, as its last answer told.", none),
    processUp: level(registry, "process_up", "1 for each process of this replica that answered.", { of: ["door", "pages"] }),
  };
}

// Next.js may load this module once for pages and once for route handlers; one process counts once.
const shared = globalThis as typeof globalThis & { sluiceMetrics?: ReturnType<typeof create>; sluiceDefaultMetrics?: true };
export const metrics = (shared.sluiceMetrics ??= create());

export type MetricsOfProcess = MetricObjectWithValues<MetricValue<string>>[];

/** Everything of this process as data, to be joined with that of others. Node's own figures are gathered from the first time on. */
export async function readMetrics(): Promise<MetricsOfProcess> {
  if (!shared.sluiceDefaultMetrics) {
    shared.sluiceDefaultMetrics = true;
    collectDefaultMetrics({ register: metrics.registry });
  }
  return metrics.registry.getMetricsAsJSON();
}

/**
 * The metrics of all processes of a replica in Prometheus' text form. Each keeps its series, told apart by `process`: added up, a
 * restart of one would look like a restart of all.
 */
export async function renderMetrics(processes: Record<string, MetricsOfProcess>): Promise<{ body: string; contentType: string }> {
  const labelled = Object.entries(processes).map(([name, all]) => all.map((metric) => ({
    ...metric,
    // What is no number does not survive the way between two processes, and Prometheus would refuse all of the rest with it.
    values: metric.values.filter(({ value }) => Number.isFinite(value)).map((value) => ({ ...value, labels: { ...value.labels, process: name } })),
  })));
  const joined = AggregatorRegistry.aggregate(labelled);
  return { body: await joined.metrics(), contentType: joined.contentType };
}
