import { z } from "zod";

/**
 * Inputs and answers of chatflows (HTTP contract, section 6). The doors that run one are made for other people's clients: they
 * ignore unknown fields, but what they know must have its type.
 */

const noNul = (value: string) => !value.includes("\u0000");
const text = (max: number) => z.string().max(max).refine(noNul, "must not contain null characters");
/** Serializers of other people's clients write `null` for what is not there, and Flowise takes it. */
const maybe = <S extends z.ZodType>(schema: S) => schema.nullish().transform((value) => value ?? undefined).optional();
/** A conversation's id, in the caller's words. */
const conversationId = text(255).min(1, "must not be empty");
const history = z.array(z.object({ role: text(50), content: z.string().max(1_000_000) })).max(1000);
const uploads = z.array(z.object({ type: text(50), name: maybe(text(500)), mime: maybe(text(200)), data: maybe(z.string()) })).max(50);
const overrideConfig = z.record(z.string().max(200), z.unknown()).refine((v) => v.sessionId === undefined || v.sessionId === null || conversationId.safeParse(v.sessionId).success, { path: ["sessionId"], error: "must be a string of 1 to 255 characters" });

/** What callers write when they mean `question`. */
const misnamed = ["input", "in", "message", "messages", "prompt", "query", "text", "content", "q"];

/** Flowise runs a flow without any input, answers nonsense or fails, and the credit is spent. */
function requireInput(body: Record<string, unknown>, context: z.RefinementCtx): void {
  const says = ["question", "input", "form", "humanInput", "action", "uploads"].some((name) => !(name === "input" && !("chatflow_id" in body)) && !isEmpty(body[name]));
  if (says) return;
  const meant = Object.keys(body).find((name) => name.toLowerCase() === "question" && name !== "question") ?? misnamed.find((name) => !isEmpty(body[name]));
  context.addIssue({ code: "custom", path: ["question"], message: meant ? `is missing. Send the text as "question" instead of "${meant.slice(0, 50)}"` : "is missing. Send a question, form, humanInput, action or uploads" });
}

const isEmpty = (value: unknown) => value === undefined || value === null || (typeof value === "string" && value.trim() === "") || (typeof value === "object" && Object.keys(value).length === 0);

export const PredictInput = z.looseObject({
  chatflow_id: text(100),
  question: maybe(text(1_000_000)),
  input: maybe(text(1_000_000)),
  sessionId: maybe(conversationId),
  session_id: maybe(conversationId),
  overrideConfig: maybe(overrideConfig),
  history: maybe(history),
  uploads: maybe(uploads),
}).superRefine(requireInput);
export type PredictInput = z.output<typeof PredictInput>;

/** Flowise's own body. */
export const PredictionInput = z.looseObject({
  question: maybe(text(1_000_000)),
  chatId: maybe(conversationId),
  streaming: maybe(z.union([z.boolean(), z.enum(["true", "false"]).transform((v) => v === "true")])),
  overrideConfig: maybe(overrideConfig),
  history: maybe(history),
  uploads: maybe(uploads),
  form: maybe(z.record(z.string(), z.unknown())),
  humanInput: maybe(z.object({ type: text(50), startNodeId: maybe(text(200)), feedback: maybe(text(100_000)) })),
  action: maybe(z.looseObject({})),
  leadEmail: maybe(text(320)),
}).superRefine(requireInput);
export type PredictionInput = z.output<typeof PredictionInput>;

/** From a query string. Without `limit` the list is whole. Clients of earlier systems may send more, which is ignored. */
export const ListMyChatflowsInput = z.object({
  limit: z.coerce.number().int().min(1, "must be at least 1").max(100, "must be at most 100").optional(),
  // As long as a name of 500 characters makes it.
  cursor: z.string().max(3000).optional(),
});
export type ListMyChatflowsInput = z.output<typeof ListMyChatflowsInput>;

export const ChatflowView = z.object({
  id: z.string(), name: z.string(), description: z.string().nullable(), category: z.string().nullable(), type: z.string().nullable(), deployed: z.boolean(),
  is_public: z.boolean(), isPublic: z.boolean(), createdDate: z.string().nullable(), updatedDate: z.string().nullable(), assigned_at: z.string(),
});
export type ChatflowView = z.infer<typeof ChatflowView>;

export const PredictAnswer = z.object({
  response: z.unknown(),
  credits_used: z.int(),
  metadata: z.object({ chatflow_id: z.string(), cost: z.int(), remaining_credits: z.int(), user: z.string(), streaming: z.literal(false), sessionId: z.string().optional(), chatMessageId: z.string().optional() }),
});
export type PredictAnswer = z.infer<typeof PredictAnswer>;

export const SyncAnswer = z.object({
  total_fetched: z.int(), created: z.int(), updated: z.int(), deleted: z.int(), errors: z.int(),
  error_details: z.array(z.object({ chatflow_id: z.string(), error: z.string() })), sync_timestamp: z.string(), duration_ms: z.int(),
});
export type SyncAnswer = z.infer<typeof SyncAnswer>;

export const AssignmentAnswer = z.object({
  user_id: z.string(), username: z.string(), email: z.string().nullable(), chatflow_id: z.string(), chatflow_name: z.string(),
  status: z.enum(["success", "reactivated"]), message: z.string(), removed_at: z.string().optional(),
});
export type AssignmentAnswer = z.infer<typeof AssignmentAnswer>;
