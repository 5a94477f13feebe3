import { answer } from "../../answer";

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

// Auth.js has the rest of `/api/auth`; this path is the API's, with its own answer to every other method.
export { answer as DELETE, answer as GET, answer as HEAD, answer as OPTIONS, answer as PATCH, answer as POST, answer as PUT };
