/** What a program sends and where, as the docs and the portal print it: one text for both, which `test/http/snippets.test.ts` runs. */

const json = `-H "X-API-Key: $SLUICE_API_KEY" \\
  -H "Content-Type: application/json"`;

/** Our own paths name the chatflow in the body, Flowise’s in the address. */
export const predictByCurl = (baseUrl: string, chatflowId: string) => `curl ${baseUrl}/api/v1/chat/predict \\
  ${json} \\
  -d '{"chatflow_id": "${chatflowId}", "question": "Hello"}'`;

export const streamByCurl = (baseUrl: string, chatflowId: string) => `curl -N ${baseUrl}/api/v1/chat/predict/stream \\
  ${json} \\
  -d '{"chatflow_id": "${chatflowId}", "question": "Hello"}'`;

export const flowiseByCurl = (baseUrl: string, chatflowId: string) => `curl -N ${baseUrl}/api/v1/prediction/${chatflowId} \\
  ${json} \\
  -d '{"question": "Hello", "streaming": true}'`;

export const sdkFile = "ask.mjs";

/** The SDK is CommonJS whose names Node does not see, so that its class cannot be imported by name. */
export const streamBySdk = (baseUrl: string, chatflowId: string) => `// Save as ${sdkFile}, then run:
//   npm install flowise-sdk
//   node ${sdkFile}
import sdk from "flowise-sdk";

const { FlowiseClient } = sdk;
const flowise = new FlowiseClient({
  baseUrl: "${baseUrl}",
  apiKey: process.env.SLUICE_API_KEY,
});

const answer = await flowise.createPrediction({
  chatflowId: "${chatflowId}",
  question: "Hello",
  streaming: true,
});

for await (const chunk of answer) {
  if (chunk.event === "token") process.stdout.write(chunk.data);
}`;
