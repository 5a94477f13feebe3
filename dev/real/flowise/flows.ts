import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Behaviour, demoFlows, promptCanary } from "../../flowise/flows";

/** A flow as `POST /chatflows` takes it, and the id that it is to have. */
export type RealFlow = { id: string; isBound: boolean; body: Record<string, unknown> };

const models: Partial<Record<Behaviour, string>> = { echo: "echo", agent: "draft", breaks: "breaks", "fails-early": "denies", silent: "silent", "half-silent": "half-silent", overrides: "echo" };

/** The demo's flows, built from Flowise's own nodes: the same names, ids and behaviour as in the stand-in. */
export function realFlows(modelUrl: string, credentialId: string): RealFlow[] {
  return demoFlows().map((flow) => ({
    id: flow.id, isBound: flow.apikeyid !== null,
    body: { name: flow.name, type: flow.type, deployed: flow.deployed ?? false, isPublic: flow.isPublic ?? false, category: flow.category, chatbotConfig: flow.chatbotConfig, apiConfig: flow.apiConfig, flowData: flowData(flow.behaviour, modelUrl, credentialId) },
  }));
}

function flowData(behaviour: Behaviour, modelUrl: string, credentialId: string): string {
  const file = behaviour === "no-streaming" ? "chatflow-custom-function" : behaviour === "agent" ? "agentflow-llm-stub" : "chatflow-chain-streaming";
  return readFileSync(join(import.meta.dirname, "flows", `${file}.flowData.json`), "utf8")
    .replaceAll("@@STUB_CREDENTIAL@@", credentialId)
    .replaceAll("http://127.0.0.1:18080/v1", modelUrl)
    .replaceAll("stub-model", models[behaviour] ?? "echo")
    .replaceAll("You are a stub.", promptCanary);
}
