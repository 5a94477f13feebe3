/** One side's turn in one round. Times are ms unless their name says otherwise. */
export type Sample = {
  requests: number;
  /** Answers other than 2xx, broken connections and time-outs. */
  failures: number;
  wallSeconds: number;
  /** User and system time of the server's process. */
  serverCpuSeconds: number;
  /** Of one core. */
  generatorShare: number;
  /** Of the cores in use, taken by the hypervisor. */
  stolenShare: number;
  /** How long the server was ready to run while something else had its core. */
  waitingShare: number;
  p50: number;
  p99: number;
};

/** Above these a sample says more about the machine than about the server. */
export const limits = { stolenShare: 0.1, generatorShare: 0.85, waitingShare: 0.25 };

/** What the sample is to show: latency suffers where a ratio of CPU seconds does not. */
export type Kind = "cpu" | "latency";

/** Why a sample should be taken again; empty when it is fine. */
export function marksOf(sample: Sample, kind: Kind): string[] {
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return [
    ...(sample.stolenShare > limits.stolenShare ? [`stolen CPU ${percent(sample.stolenShare)}`] : []),
    ...(sample.generatorShare > limits.generatorShare ? [`generator at ${percent(sample.generatorShare)}`] : []),
    ...(kind === "latency" && sample.waitingShare > limits.waitingShare ? [`server waited ${percent(sample.waitingShare)} for its core`] : []),
  ];
}

/** The figure to compare: neither stolen time nor a busy neighbour is in it. */
export function perCpuSecond(sample: Sample): number {
  return sample.requests / sample.serverCpuSeconds;
}
