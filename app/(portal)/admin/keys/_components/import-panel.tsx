"use client";

import { useId, useState, useTransition } from "react";
import { toast } from "sonner";
import { Button } from "@/app/_components/ui/button";
import { DialogBody, DialogFooter } from "@/app/_components/ui/dialog";
import { Input } from "@/app/_components/ui/input";
import { Label } from "@/app/_components/ui/label";
import { Notice } from "@/app/_components/ui/notice";
import { Textarea } from "@/app/_components/ui/textarea";
import { useDraft } from "@/app/_components/use-draft";
import { decodeKeyFile } from "@/lib/keys/schemas";
import { importKeyFileAction } from "../actions";
import { ImportResults, type Report } from "./import-results";

/** What an action takes, less what is around it. Characters. */
const textMax = 900_000;
const example = "sha256,name,user,permissions,hashed,prefix\n9f86d0…,Nightly report,ada,read ai:predict,,\n60303a…,Old client,uma@acme.test,read,afterPrefix,flash_";

/** Whoever pastes the keys themselves by mistake finds them in no storage: what is as long as a key and no SHA-256 may be one. */
const hasHashesOnly = (text: string) => (text.match(/\w{20,}/g) ?? []).every((run) => /^[0-9a-f]{64}$/i.test(run));

/** From a file or pasted text over a preview, which changes nothing, to a result per line. */
export function ImportPanel({ tenants, onDone }: { tenants: string[]; onDone: () => void }) {
  const id = useId();
  const [report, setReport] = useState<{ data: Report; isPreview: boolean } | null>(null);
  const { values: { text, tenant }, change: fill, refused } = useDraft({ text: "", tenant: tenants.length === 1 ? (tenants[0] ?? "") : "" }, { mayBeKept: (values) => hasHashesOnly(values.text), isSaved: report !== null && !report.isPreview });
  const [failure, setFailure] = useState<string | null>(null);
  const [isBusy, start] = useTransition();
  const isTooLong = text.length > textMax;
  const wouldImport = report?.isPreview ? report.data.results.filter((result) => result.status === "imported").length : 0;

  function change(next: string) {
    fill({ text: next });
    setReport(null);
    setFailure(null);
  }

  function run(dryRun: boolean) {
    start(async () => {
      const result = await importKeyFileAction({ text, ...(tenant.trim() && { tenant: tenant.trim() }), dryRun }).catch(() => null);
      setFailure(result === null ? "The portal did not answer. Check your connection and try again." : result.ok ? null : refused(result.problem));
      if (!result?.ok) return;
      setReport({ data: result.data, isPreview: dryRun });
      const done = result.data.results.filter((one) => one.status === "imported").length;
      if (!dryRun && done > 0) toast.success(`${done.toLocaleString("en")} ${done === 1 ? "key is" : "keys are"} imported`);
    });
  }

  return (
    <>
      <DialogBody className="space-y-5">
        {failure && <Notice tone="bad" live title="It did not work">{failure}</Notice>}
        <div className="grid gap-5 sm:grid-cols-2">
          <div className="space-y-1.5">
            <Label htmlFor={`${id}-file`}>File</Label>
            <Input id={`${id}-file`} type="file" accept=".csv,.tsv,.txt,.json,text/csv,text/tab-separated-values,application/json" className="py-1.5" onChange={(event) => void event.target.files?.[0]?.arrayBuffer().then((bytes) => change(decodeKeyFile(new Uint8Array(bytes))))} />
          </div>
          <div className="space-y-1.5">
            <Label htmlFor={`${id}-tenant`}>Tenant<span className="ml-1.5 font-normal text-muted">optional</span></Label>
            <Input id={`${id}-tenant`} value={tenant} list={`${id}-slugs`} maxLength={100} autoComplete="off" spellCheck={false} className="font-mono" onChange={(event) => { fill({ tenant: event.target.value }); setReport(null); }} aria-describedby={`${id}-tenant-hint`} />
            <datalist id={`${id}-slugs`}>{tenants.map((slug) => <option key={slug} value={slug} />)}</datalist>
            <p id={`${id}-tenant-hint`} className="text-[0.8125rem] text-muted">For lines that name a user and no tenant.</p>
          </div>
        </div>
        <div className="space-y-1.5">
          <Label htmlFor={`${id}-text`}>Or paste CSV or JSON</Label>
          <Textarea id={`${id}-text`} rows={6} value={text} spellCheck={false} autoComplete="off" placeholder={example} className="font-mono text-xs" onChange={(event) => change(event.target.value)} aria-describedby={`${id}-hint`} aria-invalid={isTooLong} />
          <p id={`${id}-hint`} className="text-[0.8125rem] text-muted">{isTooLong ? "This is too long for the page. Use npm run key:import on the server." : "Hashes only, never the keys themselves. A file with a line that cannot be read imports nothing."}</p>
        </div>
        {report && <ImportResults {...report} />}
      </DialogBody>
      <DialogFooter>
        {report && !report.isPreview && report.data.problems.length === 0
          ? <Button onClick={onDone}>Done</Button>
          : (
            <>
              <Button variant={wouldImport > 0 ? "secondary" : "primary"} busy={isBusy && wouldImport === 0} disabled={text.trim() === "" || isTooLong} onClick={() => run(true)}>Preview</Button>
              {wouldImport > 0 && <Button busy={isBusy} onClick={() => run(false)}>Import {wouldImport.toLocaleString("en")} {wouldImport === 1 ? "key" : "keys"}</Button>}
            </>
          )}
      </DialogFooter>
    </>
  );
}
