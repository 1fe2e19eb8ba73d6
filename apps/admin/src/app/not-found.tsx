import { buttonStyles, NotFound } from "@holdfast/ui";
import Link from "next/link";

export default function NotFoundPage() {
  const home = (
    <Link href="/" className={buttonStyles({ look: "primary" })}>
      Go to the overview
    </Link>
  );
  return <NotFound home={home} />;
}
