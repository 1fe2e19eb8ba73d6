import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { parseSpan } from "../../../features/history/spans.ts";
import { NodeDetails } from "../../../features/nodes/node-details.tsx";

interface NodePageProps {
  params: Promise<{ id: string }>;
  searchParams: Promise<{ span?: string | string[] }>;
}

export const metadata: Metadata = { title: "Node" };

export default async function NodePage({ params, searchParams }: NodePageProps) {
  const { id } = await params;
  if (!/^[1-9][0-9]{0,4}$/.test(id)) notFound();
  return <NodeDetails id={Number(id)} span={parseSpan((await searchParams).span)} />;
}
