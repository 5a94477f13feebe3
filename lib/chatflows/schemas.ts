import { z } from "zod";

/**
 * Inputs and answers of chatflows (HTTP contract, section 6). The doors that run one are made for other people's clients: they
 * ignore unknown fields, but what they know must have its type.
 */

const noNul = (value: string) => !value.includes("\u0000");
const text = (max: number) => z.string().max(max).refine(noNul, "must not contain null characters");
/** A conversation's id, in the caller's words. */
const conversationId = text(255).min(1, "must not be empty");
const history = z.array(z.object({ role: text(50), content: z.string().max(1_000_000) })).max(1000);
const uploads = z.array(z.object({ type: text(50), name: text(500).optional(), mime: text(200).optional(), data: z.string().optional() })).max(50);
const overrideConfig = z.record(z.string().max(200), z.unknown()).refine((v) => v.sessionId === undefined || conversationId.safeParse(v.sessionId).success, { path: ["sessionId"], error: "must be a string of 1 to 255 characters" });

export const PredictInput = z.object({
  chatflow_id: text(100),
  question: text(1_000_000).optional(),
  input: text(1_000_000).optional(),
  sessionId: conversationId.optional(),
  session_id: conversationId.optional(),
  overrideConfig: overrideConfig.optional(),
  history: history.optional(),
  uploads: uploads.optional(),
}).refine((v) => v.question !== undefined || v.input !== undefined, { path: ["question"], error: "is missing" });
export type PredictInput = z.output<typeof PredictInput>;

/** Flowise's own body. */
export const PredictionInput = z.object({
  question: text(1_000_000).optional(),
  chatId: conversationId.optional(),
  streaming: z.union([z.boolean(), z.enum(["true", "false"]).transform((v) => v === "true")]).optional(),
  overrideConfig: overrideConfig.optional(),
  history: history.optional(),
  uploads: uploads.optional(),
  form: z.record(z.string(), z.unknown()).optional(),
  humanInput: z.object({ type: text(50), startNodeId: text(200).optional(), feedback: text(100_000).optional() }).optional(),
  action: z.looseObject({}).optional(),
  leadEmail: text(320).optional(),
});
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
