/** What a flow does when it is asked; see `run.ts`. */
export type Behaviour = "echo" | "agent" | "no-streaming" | "breaks" | "fails-early" | "silent" | "half-silent" | "overrides";

export const flowTypes = ["CHATFLOW", "AGENTFLOW", "MULTIAGENT", "ASSISTANT"] as const;
export type FlowType = (typeof flowTypes)[number];

/** A chatflow as Flowise keeps it, and what it does here. */
export type Flow = {
  id: string; name: string; flowData: string; deployed: boolean | null; isPublic: boolean | null; apikeyid: string | null;
  chatbotConfig: string | null; apiConfig: string | null; analytic: string | null; speechToText: string | null; textToSpeech: string | null; followUpPrompts: string | null;
  category: string | null; type: FlowType; createdDate: string; updatedDate: string; mcpServerConfig: string | null; workspaceId: string; behaviour: Behaviour;
};

export const workspaceId = "31bdba5e-b53a-4f09-9275-afa44bc17c20";
/** The id of the key that bound flows name. */
export const boundKeyId = "7d1f5c92-0b3c-4a3e-9f6f-2a7c5a9f0b01";
/** Stands in every flow's data, so that a leak of prompts or credential ids shows. */
export const promptCanary = "CANARY-PROMPT: you are a helpful assistant of ACME";
export const credentialCanary = "c0ffee00-cafe-4afe-8afe-c0ffee00cafe";

/** The demo's flows by what they are for. */
export const flowIds = {
  support: "6a0a1a73-32d1-49c8-9e9f-4c47a728a97d",
  releaseNotes: "b868847e-bef3-4ef7-a8c3-01d33f5e306e",
  invoices: "c3973f8d-9183-4a84-bd8f-6fc0eba984b3",
  broken: "5a3b1c7e-0d57-4a3c-8f1c-0c8b7e6a1d02",
  failingEarly: "8f2d9d5a-74a4-4a7c-9a54-1b1f0e2c3d04",
  silent: "0b9e2a44-6f15-4b6f-a1c7-93d27f6f5e05",
  halfSilent: "3e7c5d21-8b4a-4c9d-b2e6-51a8f7c4d206",
  bound: "94993d16-5c81-4110-9ba4-9973c268fb4e",
  limited: "d2a6c8e4-1f3b-4d5a-8c7e-6b9f0a1e2d07",
  overrides: "f1e2d3c4-b5a6-4978-8695-a4b3c2d1e008",
  draft: "e5d4c3b2-a190-4807-9615-243546576809",
} as const;

/** What the seed assigns. */
export const chatflowsOf: Record<string, string[]> = {
  uma: [flowIds.support, flowIds.releaseNotes],
  ada: [flowIds.support],
  vic: [flowIds.releaseNotes],
};

const flowData = (model: string) => JSON.stringify({
  nodes: [{ id: `${model}_0`, data: { name: model, inputs: { systemMessagePrompt: promptCanary, basepath: "http://models.internal:18080/v1" }, credential: credentialCanary } }],
  edges: [], viewport: { x: 0, y: 0, zoom: 1 },
});

type Given = Partial<Omit<Flow, "id" | "name" | "behaviour">>;

function flow(id: string, name: string, behaviour: Behaviour, category: string, given: Given = {}): Flow {
  return {
    id, name, behaviour, category, flowData: flowData(given.type === "AGENTFLOW" ? "llmAgentflow" : "conversationChain"), deployed: true, isPublic: false, apikeyid: null, chatbotConfig: null, apiConfig: null,
    analytic: null, speechToText: null, textToSpeech: null, followUpPrompts: null, type: "CHATFLOW", createdDate: "2026-10-01T09:00:00.000Z", updatedDate: "2026-11-02T14:30:00.000Z", mcpServerConfig: null, workspaceId, ...given,
  };
}

/** The flows that are there at every start, as they are written here. */
export function demoFlows(): Flow[] {
  return [
    flow(flowIds.support, "Support assistant", "echo", "Support;Customers", { chatbotConfig: JSON.stringify({ welcomeMessage: "Hello, how can I help?", starterPrompts: { "0": { prompt: "What can you do?" } }, allowedOrigins: ["https://www.acme.test"] }) }),
    flow(flowIds.releaseNotes, "Release notes writer", "agent", "Engineering", { type: "AGENTFLOW" }),
    flow(flowIds.invoices, "Invoice parser", "no-streaming", "Finance"),
    flow(flowIds.broken, "Broken flow", "breaks", "Tests"),
    flow(flowIds.failingEarly, "Failing early", "fails-early", "Tests"),
    flow(flowIds.silent, "Silent flow", "silent", "Tests"),
    flow(flowIds.halfSilent, "Half silent flow", "half-silent", "Tests"),
    flow(flowIds.bound, "Bound flow", "echo", "Tests", { apikeyid: boundKeyId }),
    flow(flowIds.limited, "Rate limited flow", "echo", "Tests", { apiConfig: JSON.stringify({ rateLimit: { status: true, limitMax: 2, limitDuration: 60, limitMsg: "Slow down, please" } }) }),
    flow(flowIds.overrides, "Override allowed flow", "overrides", "Tests", { apiConfig: JSON.stringify({ overrideConfig: { status: true, config: {}, variables: {} } }) }),
    flow(flowIds.draft, "Draft flow", "echo", "Tests", { deployed: false }),
  ];
}
