import { randomBytes } from "node:crypto";
import { appendFileSync, closeSync, openSync, rmSync, statSync } from "node:fs";
import type { Secrets } from "./apply";
import { type ClientKind, type Options, SetupError } from "./options";
import type { Step } from "./step";

export const variables: Record<ClientKind, { id: string; secret: string }> = {
  web: { id: "KEYCLOAK_CLIENT_ID", secret: "KEYCLOAK_CLIENT_SECRET" },
  machine: { id: "KEYCLOAK_MACHINE_CLIENT_ID", secret: "KEYCLOAK_MACHINE_CLIENT_SECRET" },
  direct: { id: "KEYCLOAK_DIRECT_CLIENT_ID", secret: "KEYCLOAK_DIRECT_CLIENT_SECRET" },
  sync: { id: "KEYCLOAK_SYNC_CLIENT_ID", secret: "KEYCLOAK_SYNC_CLIENT_SECRET" },
};

/** The clients of a plan that need a secret which nobody has chosen yet. */
export function withoutSecret(steps: Step[], { secrets }: Pick<Options, "secrets">): ClientKind[] {
  return steps.flatMap((step) => ("deeds" in step ? step.deeds : [])).flatMap((deed) => (deed.do === "create-client" && deed.secretOf && !secrets[deed.secretOf] ? [deed.secretOf] : []));
}

/** Where the secret of each new client came from, and what to do with those that are new. */
export function originsOf(steps: Step[], options: Pick<Options, "secrets" | "secretsOut">): string[] {
  const made = steps.flatMap((step) => ("deeds" in step ? step.deeds : [])).flatMap((deed) => (deed.do === "create-client" && deed.secretOf ? [deed.secretOf] : []));
  const fresh = withoutSecret(steps, options);
  return [
    ...made.map((kind) => `  ${variables[kind].secret}: ${fresh.includes(kind) ? `new, in ${options.secretsOut ?? ""}` : "as you set it"}`),
    ...(fresh.length > 0 ? [`  Put the lines of ${options.secretsOut ?? ""} in the place of the same names in .env, so that each stands there once. Then delete the file.`] : []),
  ];
}

/**
 * Secrets of new clients: the operator's where one is set, else fresh ones, written to `file` the moment their client
 * exists, so that a later failure loses none. The file must be new: another run's secrets are not overwritten.
 * @throws SetupError before anything is done when a secret would have nowhere to go.
 */
export function secretsFor(steps: Step[], options: Pick<Options, "secrets" | "secretsOut">): Secrets & { close(): void } {
  const file = options.secretsOut;
  const fresh = withoutSecret(steps, options);
  if (fresh.length > 0 && !file) throw new SetupError(`name a file for the secrets of the new clients: --secrets-out FILE (or set ${fresh.map((kind) => variables[kind].secret).join(", ")})`);
  if (fresh.length > 0 && file) create(file);
  return {
    secretFor: ({ secretOf }) => (secretOf ? (options.secrets[secretOf] ?? randomBytes(32).toString("base64url")) : null),
    keep: ({ secretOf, clientId }, secret) => {
      if (!file || !secretOf || options.secrets[secretOf]) return;
      appendFileSync(file, `${variables[secretOf].id}=${clientId}\n${variables[secretOf].secret}=${secret}\n`);
    },
    close: () => {
      if (file && fresh.length > 0 && statSync(file).size === 0) rmSync(file);
    },
  };
}

function create(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw new SetupError(exists ? `${file} exists already: name a new file, so that no secret is overwritten` : `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
