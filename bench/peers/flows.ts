/** A chatflow of the stub engine. With `tokens`, a stream of it has that many, one each 100 ms; without, its stream ends at once. */
export type BenchFlow = { id: string; name: string; costCredits: number; tokens?: number };

export const freeFlow: BenchFlow = { id: "1b0c4f0e-5a53-4d6e-8a51-000000000001", name: "Bench: free", costCredits: 0 };
export const paidFlow: BenchFlow = { id: "1b0c4f0e-5a53-4d6e-8a51-000000000002", name: "Bench: one credit", costCredits: 1 };
export const slowFlow: BenchFlow = { id: "1b0c4f0e-5a53-4d6e-8a51-000000000003", name: "Bench: slow stream", costCredits: 0, tokens: 100 };
export const benchFlows = [freeFlow, paidFlow, slowFlow];
