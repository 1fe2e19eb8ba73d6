import { moosefs } from "./moosefs.ts";
import { nginx } from "./nginx.ts";
import type { Peer } from "./peer.ts";
import { rclone } from "./rclone.ts";
import { tusServer } from "./tus-server.ts";

export const peers: readonly Peer[] = [nginx, rclone, moosefs, tusServer];
