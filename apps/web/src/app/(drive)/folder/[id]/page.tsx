import type { Metadata } from "next";
import { FolderView } from "../../../../features/entries/folder-view.tsx";

export const metadata: Metadata = { title: "Folder" };

export default async function FolderPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return <FolderView key={id} folderId={id} />;
}
