"use client";
import { SignInForm as Form } from "@holdfast/ui";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { useTRPC } from "../api/trpc.ts";
import { useUploads } from "../uploads/use-uploads.ts";
import { safeReturnPath } from "./return-path.ts";

export function SignInForm({ next }: { next: string }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const uploads = useUploads();
  const setup = useQuery(useTRPC().setup.state.queryOptions());

  useEffect(() => {
    if (setup.data?.needed) router.replace("/setup");
  }, [setup.data, router]);

  const enter = (): void => {
    queryClient.clear();
    uploads.queue.signedIn();
    router.replace(safeReturnPath(next));
  };
  return <Form title="Sign in" service="Holdfast" onSignedIn={enter} />;
}
