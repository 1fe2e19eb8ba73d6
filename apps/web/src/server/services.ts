import type { Accounts } from "@holdfast/core/accounts";
import type { Downloads } from "@holdfast/core/download";
import type { FindContent } from "@holdfast/core/drive";
import type { Membership } from "@holdfast/core/membership";
import type { Uploads } from "@holdfast/core/upload";
import type { Preparation } from "./preparation.ts";
import type { Services } from "./routers/index.ts";

/** What the byte routes work with, besides what the procedures do; made once, where the process is wired. */
export interface DriveServices extends Services {
  accounts: Accounts;
  membership: Membership;
  findContent: FindContent;
  uploads: Pick<Uploads, "handle">;
  downloads: Downloads;
  preparation: Preparation;
}
