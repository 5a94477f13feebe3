/** A panel that could not be read, beside others that could. */
export function PanelFailed({ detail }: { detail: string }) {
  return <p role="alert" className="text-sm text-danger-ink">{detail}</p>;
}
