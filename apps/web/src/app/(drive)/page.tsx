import type { Metadata } from "next";
import { RootFolder } from "../../features/entries/root-folder.tsx";

export const metadata: Metadata = { title: "My Drive" };

export default function MyDrivePage() {
  return <RootFolder />;
}
