import { Skeleton } from "../_components/ui/skeleton";

export default function PortalLoading() {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton className="h-8 w-48" />
      <Skeleton className="mt-2 mb-6 h-5 w-full max-w-md" />
      <Skeleton className="h-80 w-full rounded-lg" />
    </div>
  );
}
