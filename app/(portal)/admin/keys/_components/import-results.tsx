import type { ImportResult } from "@/lib/keys/schemas";
import { Badge, type Tone } from "@/app/_components/ui/badge";
import { Notice } from "@/app/_components/ui/notice";

export type Report = { results: (Omit<ImportResult, "index"> & { line: number })[]; problems: { line: number; detail: string }[] };

const tones: Record<ImportResult["status"], Tone> = { imported: "good", exists: "neutral", error: "bad" };
const shownMax = 200;

/** What became of each line, or would. */
export function ImportResults({ data, isPreview }: { data: Report; isPreview: boolean }) {
  const words: Record<ImportResult["status"], string> = { imported: isPreview ? "would be imported" : "imported", exists: "known already", error: "failed" };
  if (data.problems.length > 0) {
    return (
      <Notice tone="bad" live title="Nothing was imported: these lines cannot be read">
        <ul className="mt-1 space-y-0.5">{data.problems.slice(0, shownMax).map(({ line, detail }, i) => <li key={`${line}-${i}`}><span className="tabular-nums">Line {line}</span>: {detail}</li>)}</ul>
      </Notice>
    );
  }
  // What failed is what somebody must do something about.
  const rows = [...data.results].sort((a, b) => Number(b.status === "error") - Number(a.status === "error") || a.line - b.line);
  return (
    <div role="status" className="overflow-hidden rounded-lg border">
      <table className="w-full text-sm">
        <caption className="sr-only">{isPreview ? "What would happen to each line" : "What became of each line"}</caption>
        <thead className="border-b bg-sunken/60 text-left text-xs text-muted"><tr><th scope="col" className="px-3 py-2 font-medium">Line</th><th scope="col" className="px-3 py-2 font-medium">Key</th><th scope="col" className="px-3 py-2 font-medium">Result</th></tr></thead>
        <tbody className="divide-y">
          {rows.slice(0, shownMax).map((row) => (
            <tr key={row.line}>
              <td className="px-3 py-2 align-top text-muted tabular-nums">{row.line}</td>
              <td className="px-3 py-2 align-top wrap-anywhere">{row.name}</td>
              <td className="px-3 py-2 align-top"><Badge dot tone={tones[row.status]}>{words[row.status]}</Badge>{row.detail && <p className="mt-1 text-[0.8125rem] text-muted">{row.detail}</p>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shownMax && <p className="border-t px-3 py-2 text-xs text-muted">and {(rows.length - shownMax).toLocaleString("en")} more</p>}
    </div>
  );
}
