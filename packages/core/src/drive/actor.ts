/** Who asks, with everything a query needs to stay within that person's own tree. */
export interface Actor {
  userId: string;
  role: "admin" | "user";
  driveId: string;
  /** The entry that has no parent. */
  rootId: string;
}
