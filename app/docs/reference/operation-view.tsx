import { ChevronRight } from "lucide-react";
import { Badge, type Tone } from "@/app/_components/ui/badge";
import type { Operation } from "./operations";
import { type Schema, type Schemas, shapeOf } from "./shape";

const tones: Record<string, Tone> = { get: "water", post: "good", put: "warn", patch: "warn", delete: "bad" };

function Shape({ label, schema, schemas }: { label: string; schema: Schema; schemas: Schemas }) {
  return <pre tabIndex={0} aria-label={label} className="mt-2 overflow-x-auto rounded-md border bg-sunken px-3 py-2.5 font-mono text-[0.8125rem] leading-relaxed focus-visible:-outline-offset-2"><code>{shapeOf(schema, schemas)}</code></pre>;
}

/** One call, closed to a line until somebody wants to know more. Works without script. */
export function OperationView({ operation, schemas }: { operation: Operation; schemas: Schemas }) {
  return (
    <details id={operation.id} className="group scroll-mt-6">
      <summary className="flex cursor-pointer list-none flex-wrap items-baseline gap-x-3 gap-y-1 rounded-sm px-1 py-3 transition-colors hover:bg-sunken/60 [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 shrink-0 translate-y-0.5 text-muted transition-transform group-open:rotate-90" />
        <Badge tone={tones[operation.method]} className="w-14 justify-center font-mono uppercase">{operation.method}</Badge>
        <code className="font-mono text-sm break-all">{operation.path}</code>
        <span className="basis-full pl-7 text-sm text-muted md:flex-1 md:basis-40 md:pl-0">{operation.summary}</span>
      </summary>
      <div className="space-y-5 pt-1 pb-6 pl-8 text-sm">
        {operation.description && <p className="text-muted">{operation.description}</p>}
        <p>{operation.isOpen ? "Open to everybody; no credential is needed." : operation.permission ? <>Needs <Badge tone="water" className="font-mono font-normal">{operation.permission}</Badge></> : "Needs any credential."}</p>
        {operation.parameters.length > 0 && (
          <div>
            <h4 className="font-semibold">Parameters</h4>
            <dl className="mt-2 grid gap-x-6 gap-y-1.5 sm:grid-cols-[auto_minmax(0,1fr)]">
              {operation.parameters.map((parameter) => (
                <div key={`${parameter.place}.${parameter.name}`} className="contents">
                  <dt className="font-mono text-[0.8125rem]">{parameter.name}</dt>
                  <dd className="text-muted">{shapeOf(parameter.schema, schemas)}, in the {parameter.place}{parameter.isRequired ? "" : ", optional"}</dd>
                </div>
              ))}
            </dl>
          </div>
        )}
        {operation.body && <div><h4 className="font-semibold">Body <span className="font-mono text-xs font-normal text-muted">{operation.body.type}</span></h4><Shape label={`Body of ${operation.path}`} schema={operation.body.schema} schemas={schemas} /></div>}
        {operation.answers.map((answer) => (
          <div key={answer.status}>
            <h4 className="font-semibold">{answer.status} <span className="font-normal text-muted">{answer.description}</span> {answer.type && <span className="font-mono text-xs font-normal text-muted">{answer.type}</span>}</h4>
            {answer.schema && <Shape label={`Answer ${answer.status} of ${operation.path}`} schema={answer.schema} schemas={schemas} />}
          </div>
        ))}
      </div>
    </details>
  );
}
