import { Skeleton } from "@/app/_components/ui/skeleton";

export default function ProgramsLoading() {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton className="h-8 w-56 max-w-full" />
      <Skeleton className="mt-2 mb-6 h-5 w-96 max-w-full" />
      <Skeleton className="h-72 rounded-lg" />
    </div>
  );
}
