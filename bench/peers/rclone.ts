import { hasCommand, type Peer } from "./peer.ts";
import { answers, freePort, Server } from "./server.ts";
import { WebDavDoor } from "./web-dav-door.ts";

/** A directory served as it is, without its own caches. It never syncs. */
export const rclone: Peer = {
  name: "rclone",
  packages: "rclone",
  title: "rclone serve webdav, 1 copy, page cache",
  isInstalled: () => hasCommand("rclone"),
  async open(directory) {
    const port = await freePort();
    const server = new Server("rclone", ["serve", "webdav", directory, "--addr", `127.0.0.1:${port}`, "--config", ""]);
    const origin = `http://127.0.0.1:${port}`;
    await server.until(() => answers(origin));
    return new WebDavDoor(origin, server);
  },
};
