/** Whether the cluster is still finding out what it has. Nothing is repaired, moved or deleted until it knows. */
export interface Safemode {
  isOn(): boolean;
  /** For people; empty while it is off. */
  why(): string;
}
