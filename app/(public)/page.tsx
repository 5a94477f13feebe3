import { ArrowRight } from "lucide-react";
import Link from "next/link";
import { redirect } from "next/navigation";
import { attempt } from "@/lib/entry/portal";
import { findContext } from "@/lib/entry/page";
import { PublicHeader } from "../_components/shell/public-header";
import { Button } from "../_components/ui/button";
import { FlowPicture } from "./flow-picture";

const promises = [
  { title: "Every call has a person", text: "A key acts for its owner. Flowise and NFlow receive the owner’s own token, narrowed to that engine. No engine key is handed out." },
  { title: "Closing is immediate", text: "Revoke a key and no replica admits it from that answer on. An account that is disabled in Keycloak is disabled here." },
  { title: "The flow is measured", text: "Permissions, limits and credits on each key. Credits are held before a call and settled after it, so a balance never goes below zero." },
  { title: "Your clients stay as they are", text: "flowise-sdk works with another host and a key, plain and streaming." },
];

export default async function Landing() {
  // A store that is away must not take the start page with it.
  const found = await attempt(findContext);
  if (found.ok && found.data) redirect("/overview");
  return (
    <div className="flex min-h-dvh flex-col">
      <PublicHeader isSignedIn={false} />
      <main id="main" className="mx-auto w-full max-w-6xl flex-1 px-5 sm:px-8">
        <div className="grid items-center gap-x-12 gap-y-10 py-14 md:py-20 lg:grid-cols-[minmax(0,1.05fr)_minmax(0,1fr)]">
          <div>
            <h1 className="text-4xl leading-[1.1] font-semibold tracking-tight sm:text-5xl">One gate in front of your workflow engines</h1>
            <p className="mt-5 max-w-xl text-lg text-muted">Sluice stands before Flowise and NFlow. People sign in with Keycloak, programs bring an API key, and every call reaches the engine as the person it is made for.</p>
            <div className="mt-8 flex flex-wrap gap-3">
              <Button asChild size="lg"><Link href="/sign-in">Sign in <ArrowRight aria-hidden /></Link></Button>
              <Button asChild size="lg" variant="secondary"><Link href="/docs">Read the docs</Link></Button>
            </div>
          </div>
          <FlowPicture className="w-full" />
        </div>
        <ul className="grid gap-x-10 gap-y-8 border-t py-12 sm:grid-cols-2 lg:grid-cols-4">
          {promises.map((promise) => (
            <li key={promise.title}>
              <h2 className="text-sm font-semibold">{promise.title}</h2>
              <p className="mt-1.5 text-sm text-muted">{promise.text}</p>
            </li>
          ))}
        </ul>
      </main>
    </div>
  );
}
