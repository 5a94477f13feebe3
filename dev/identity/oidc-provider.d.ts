// The package ships without types. Only what dev/identity uses is described here, from its 9.13 sources.
declare module "oidc-provider" {
  import type { EventEmitter } from "node:events";
  import type { IncomingMessage, ServerResponse } from "node:http";

  export type Context = {
    path: string;
    method: string;
    type: string;
    status: number;
    body: unknown;
    req: IncomingMessage;
    res: ServerResponse;
    set(name: string, value: string): void;
    oidc: OidcContext;
  };

  export type OidcContext = {
    route: string;
    client: { clientId: string };
    account?: { accountId: string };
    session: SessionModel;
    params: Record<string, string | undefined>;
    result?: InteractionResult;
    requestParamScopes: Set<string>;
  };

  export interface SessionModel {
    uid: string;
    accountId?: string;
    loginTs?: number;
    acr?: string;
    grantIdFor(clientId: string): string | undefined;
    destroy(): Promise<void>;
  }

  export interface GrantModel {
    accountId: string;
    clientId: string;
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  export interface AuthorizationCodeModel {
    jti: string;
    accountId: string;
    clientId: string;
    sessionUid: string;
    scope?: string;
    redirectUri: string;
    codeChallenge: string;
    nonce?: string;
    acr?: string;
    authTime: number;
    consumed?: number;
    consume(): Promise<void>;
  }

  export type Interaction = {
    uid: string;
    prompt: { name: string; reasons: string[] };
    params: Record<string, string | undefined>;
    session?: { uid?: string; accountId?: string };
  };

  export type InteractionResult =
    | { login?: { accountId: string; acr: string }; consent?: object; create?: object; action?: { status: string } }
    | { error: string; error_description: string };

  export interface Adapter {
    upsert(id: string, payload: Record<string, unknown>, expiresInSeconds?: number): Promise<void>;
    find(id: string): Promise<Record<string, unknown> | undefined>;
    findByUid(uid: string): Promise<Record<string, unknown> | undefined>;
    findByUserCode(userCode: string): Promise<Record<string, unknown> | undefined>;
    consume(id: string): Promise<void>;
    destroy(id: string): Promise<void>;
    revokeByGrantId(grantId: string): Promise<void>;
  }

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): this;
    callback(): (req: IncomingMessage, res: ServerResponse) => Promise<void>;
    createContext(req: IncomingMessage, res: ServerResponse): Context;
    on: EventEmitter["on"];
    interactionDetails(req: IncomingMessage, res: ServerResponse): Promise<Interaction>;
    interactionFinished(req: IncomingMessage, res: ServerResponse, result: InteractionResult, options?: { mergeWithLastSubmission: boolean }): Promise<void>;
    Session: { get(ctx: Context): Promise<SessionModel> };
    Grant: { new (start: { accountId: string; clientId: string }): GrantModel; find(id: string): Promise<GrantModel | undefined> };
    AuthorizationCode: { find(code: string): Promise<AuthorizationCodeModel | undefined> };
  }

  export const interactionPolicy: {
    base(): { get(name: "login" | "consent"): { checks: Iterable<{ error: string }> & { add(check: object): void } }; add(prompt: object, place?: number): void };
    Prompt: new (prompt: { name: string; requestable?: boolean }, ...checks: object[]) => object;
    Check: new (reason: string, description: string, check: (ctx: Context) => boolean) => object;
  };
}
