import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { demoFlows, type Flow, flowTypes, workspaceId } from "./flows";

/** A request that Flowise's error handler answers. */
export class Refused extends Error {
  constructor(readonly statusCode: number, message: string) {
    super(message);
  }
}

type Settings = {
  rateLimit?: { status?: boolean; limitMax?: number; limitDuration?: number; limitMsg?: string };
  overrideConfig?: { status?: boolean };
};
type ChatbotConfig = { allowedOrigins?: string[]; allowedOriginsError?: string; postProcessing?: { enabled?: boolean } } & Record<string, unknown>;

/** What a caller may set; the server's own fields are ignored in bodies. */
const writable = ["name", "flowData", "deployed", "isPublic", "apikeyid", "chatbotConfig", "apiConfig", "analytic", "speechToText", "textToSpeech", "followUpPrompts", "category", "type", "mcpServerConfig"] as const;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The workspace's flows. The demo's are as written at every start; what callers created survives in the state file. */
export class FlowStore {
  private readonly flows: Map<string, Flow>;
  private readonly fixed: ReadonlySet<string>;

  constructor(private readonly stateFile?: string) {
    const ours = demoFlows();
    this.fixed = new Set(ours.map((flow) => flow.id));
    const created = stateFile && existsSync(stateFile) ? (JSON.parse(readFileSync(stateFile, "utf8")) as Flow[]) : [];
    this.flows = new Map([...ours, ...created.filter((flow) => !this.fixed.has(flow.id))].map((flow) => [flow.id, flow]));
  }

  all(): Flow[] {
    return [...this.flows.values()];
  }

  find(id: string): Flow | undefined {
    return this.flows.get(id);
  }

  /** @throws Refused 400 for what is no UUID, 404 for one that is unknown. */
  get(id: string): Flow {
    const flow = this.flows.get(id);
    if (flow) return flow;
    if (!uuid.test(id)) throw new Refused(400, "Invalid Chatflow ID");
    throw new Refused(404, `Chatflow ${id} not found in the database!`);
  }

  /** Newest first. With both `page` and `limit` of at least 1 an object, else a bare array. @throws Refused 412 for negative ones. */
  list(query: URLSearchParams): object {
    const type = flowTypes.find((known) => known === query.get("type"));
    const rows = this.all().filter((flow) => !type || flow.type === type).sort((a, b) => b.updatedDate.localeCompare(a.updatedDate)).map(wire);
    const [page, limit] = [Number(query.get("page")), Number(query.get("limit"))];
    if (page < 0) throw new Refused(412, "Error: page cannot be negative!");
    if (limit < 0) throw new Refused(412, "Error: limit cannot be negative!");
    return page >= 1 && limit >= 1 ? { data: rows.slice((page - 1) * limit, page * limit), total: rows.length } : rows;
  }

  /** @throws Refused 400 for an unknown type, 500 for a missing name or flow data that are no JSON text. */
  create(body: Record<string, unknown>): Flow {
    const type = flowTypes.find((known) => known === body.type);
    if (!type) throw new Refused(400, "Invalid Chatflow Type");
    checkJson("flowData", String(body.flowData), 500);
    if (typeof body.name !== "string") throw new Refused(500, "SQLITE_CONSTRAINT: NOT NULL constraint failed: chat_flow.name");
    const at = wholeSecond();
    const blank: Flow = {
      id: randomUUID(), name: "", flowData: "", deployed: null, isPublic: null, apikeyid: null, chatbotConfig: null, apiConfig: null, analytic: null, speechToText: null, textToSpeech: null,
      followUpPrompts: null, category: null, type, createdDate: at, updatedDate: at, mcpServerConfig: null, workspaceId, behaviour: "echo",
    };
    return this.keep({ ...blank, ...given(body), type });
  }

  /** @throws Refused 400, 404 as `get`; 400 for a chatbot configuration that is no JSON, 500 for such flow data. */
  update(id: string, body: Record<string, unknown>): Flow {
    const flow = this.get(id);
    if (typeof body.chatbotConfig === "string") checkJson("chatbotConfig", body.chatbotConfig, 400);
    if (body.flowData !== undefined) checkJson("flowData", String(body.flowData), 500);
    if (body.type !== undefined && !flowTypes.some((known) => known === body.type)) throw new Refused(400, "Invalid Chatflow Type");
    return this.keep({ ...flow, ...given(body), updatedDate: wholeSecond() });
  }

  /** @throws Refused 500 when it is unknown. */
  remove(id: string): void {
    if (!this.flows.delete(id)) throw new Refused(500, `Error: chatflowsService.deleteChatflow - Chatflow ${id} not found in the database!`);
    this.save();
  }

  private keep(flow: Flow): Flow {
    this.flows.set(flow.id, flow);
    this.save();
    return flow;
  }

  private save(): void {
    if (!this.stateFile) return;
    writeFileSync(`${this.stateFile}.new`, JSON.stringify(this.all().filter((flow) => !this.fixed.has(flow.id))), { mode: 0o600 });
    renameSync(`${this.stateFile}.new`, this.stateFile);
  }
}

/** A flow as callers see it. */
export function wire({ behaviour: _behaviour, workspaceId: workspace, ...flow }: Flow) {
  return { ...flow, webhookSecretConfigured: false, workspaceId: workspace };
}

export function flowSettings(flow: Flow): Settings {
  return parsed<Settings>(flow.apiConfig);
}

export function chatbotConfigOf(flow: Flow): ChatbotConfig {
  return parsed<ChatbotConfig>(flow.chatbotConfig);
}

/** Every agentflow streams; a chatflow does unless its last node cannot or post-processing is on. */
export function canStream(flow: Flow): boolean {
  return flow.type === "AGENTFLOW" || (flow.behaviour !== "no-streaming" && chatbotConfigOf(flow).postProcessing?.enabled !== true);
}

function parsed<T extends object>(text: string | null): T {
  try {
    return (JSON.parse(text || "{}") ?? {}) as T;
  } catch {
    return {} as T;
  }
}

function given(body: Record<string, unknown>): Partial<Flow> {
  return Object.fromEntries(writable.filter((field) => body[field] !== undefined).map((field) => [field, body[field]]));
}

function checkJson(field: "flowData" | "chatbotConfig", text: string, statusCode: number): void {
  try {
    JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refused(statusCode, field === "chatbotConfig" ? `Invalid chatbotConfig: ${why}` : why);
  }
}

/** Flowise's dates have a grain of one second. */
function wholeSecond(): string {
  return `${new Date().toISOString().slice(0, 19)}.000Z`;
}
