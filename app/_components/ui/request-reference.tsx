import Link from "next/link";

/** Where somebody finds out why a call of theirs was refused. */
export const requestPage = (requestId: string) => `/requests/${encodeURIComponent(requestId)}`;

/** Below a failure: the id to name when asking for help, which leads to what is known of that call. */
export function RequestReference({ requestId }: { requestId: string }) {
  return <span className="mt-1 block font-mono text-xs break-all text-muted">Request <Link href={requestPage(requestId)} prefetch={false} className="underline underline-offset-4">{requestId}</Link></span>;
}
