import type { Metadata } from "next";
import { SetupForm } from "../../../features/setup/setup-form.tsx";

export const metadata: Metadata = { title: "Set up" };

export default function SetupPage() {
  return <SetupForm />;
}
