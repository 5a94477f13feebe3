import type { TestProject } from "vitest/node";
import { stackInfo } from "../../e2e/stack";

/** The stack's own door serves for both that the HTTP tests know: a second Next.js has nothing to add here. */
export default function setup(project: TestProject): void {
  const { demo, env } = stackInfo();
  if (!env) throw new Error("The identity tests need the stack of `npm run test:identity`.");
  project.provide("demo", demo);
  project.provide("webEnv", env);
  project.provide("doors", { own: demo.url, next: demo.url });
}
