import { Skeleton } from "@/app/_components/ui/skeleton";

export function KeyLoading() {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton className="h-5 w-24" />
      <Skeleton className="mt-2 h-8 w-64 max-w-full" />
      <Skeleton className="mt-2 mb-6 h-5 w-80 max-w-full" />
      <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Skeleton className="h-96 rounded-lg" />
        <div className="space-y-5"><Skeleton className="h-40 rounded-lg" /><Skeleton className="h-40 rounded-lg" /></div>
      </div>
    </div>
  );
}
