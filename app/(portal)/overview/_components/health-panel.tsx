"use client";

import { useQuery } from "@tanstack/react-query";
import { Badge } from "@/app/_components/ui/badge";
import { Card, CardBody, CardHeader } from "@/app/_components/ui/card";
import { Skeleton } from "@/app/_components/ui/skeleton";
import { healthQuery } from "./health-query";

const words: Record<string, string> = { database: "Database", redis: "Redis", identity: "Keycloak", pages: "Pages", nflow: "NFlow", flowise: "Flowise" };

/** The parts that Sluice stands on, as they answer now. */
export function HealthPanel() {
  const health = useQuery(healthQuery);
  return (
    <Card>
      <CardHeader title="System" aside={health.isError ? <Badge dot tone="warn">not known</Badge> : health.data ? <Badge dot tone={health.data.status === "ok" ? "good" : "bad"}>{health.data.status === "ok" ? "all well" : "degraded"}</Badge> : <Skeleton className="h-5 w-16" />} />
      <CardBody>
        {health.data
          ? (
            <ul className="divide-y text-sm">
              {Object.entries(health.data.checks).map(([name, check]) => (
                <li key={name} className="flex items-center justify-between gap-3 py-2 first:pt-0 last:pb-0">
                  <span>{words[name] ?? name}</span>
                  <span className="flex items-center gap-2 text-muted tabular-nums">
                    {check.status === "ok" ? <>{Math.round(check.ms)} ms <span aria-hidden className="size-1.5 rounded-full bg-success" /></> : <Badge dot tone="bad">away</Badge>}
                  </span>
                </li>
              ))}
            </ul>
          )
          : health.isError ? <p className="text-sm text-muted">The portal did not say how its parts are. It is asked again by itself.</p>
          : <div className="space-y-3.5 py-0.5">{[0, 1, 2].map((row) => <Skeleton key={row} className="h-5 w-full" />)}</div>}
      </CardBody>
    </Card>
  );
}
