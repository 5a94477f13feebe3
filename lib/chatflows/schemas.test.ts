import { describe, expect, it } from "vitest";
import { PredictInput, PredictionInput } from "./schemas";

const said = (schema: typeof PredictInput | typeof PredictionInput, body: object) => {
  const parsed = schema.safeParse(body);
  return parsed.success ? "ok" : parsed.error.issues.map(({ path, message }) => `${path.join("/")}: ${message}`).join("; ");
};

describe("a prediction needs something to work on", () => {
  it.each([{ question: "hi" }, { form: { name: "Ada" } }, { humanInput: { type: "proceed" } }, { action: { id: "1" } }, { uploads: [{ type: "audio", data: "data:" }] }])("%j is enough for Flowise's door", (body) => {
    expect(said(PredictionInput, body)).toBe("ok");
  });

  it.each([{}, { question: "" }, { question: "  " }, { question: null }, { uploads: [] }, { form: {} }, { chatId: "c", history: [] }])("%j is not", (body) => {
    expect(said(PredictionInput, body)).toBe("question: is missing. Send a question, form, humanInput, action or uploads");
  });

  it("the field that was probably meant is named", () => {
    expect(said(PredictionInput, { input: "x" })).toBe('question: is missing. Send the text as "question" instead of "input"');
    expect(said(PredictionInput, { in: "x" })).toContain('instead of "in"');
    expect(said(PredictionInput, { Question: "x" })).toContain('instead of "Question"');
    expect(said(PredictInput, { chatflow_id: "1", message: "x" })).toContain('instead of "message"');
  });

  it("the older client may say input", () => {
    expect(said(PredictInput, { chatflow_id: "1", input: "x" })).toBe("ok");
  });
});

it("null is the same as absent on the doors of other people's clients", () => {
  const nulls = { chatId: null, streaming: null, overrideConfig: null, history: null, uploads: null, form: null, humanInput: null, action: null, leadEmail: null };
  expect(PredictionInput.parse({ question: "hi", ...nulls })).toEqual({ question: "hi" });
  expect(PredictionInput.parse({ question: "hi", overrideConfig: { sessionId: null }, uploads: [{ type: "file", name: null, mime: null, data: "d" }] }).uploads).toEqual([{ type: "file", data: "d" }]);
  expect(said(PredictInput, { chatflow_id: "1", question: "hi", input: null, sessionId: null, session_id: null, overrideConfig: null, history: null, uploads: null })).toBe("ok");
});
