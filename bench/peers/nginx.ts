import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasCommand, type Peer } from "./peer.ts";
import { answers, freePort, Server } from "./server.ts";
import { WebDavDoor } from "./web-dav-door.ts";

/** A worker a core, sendfile on, logs off; a body goes to a temporary file on the same disk and is renamed. It never syncs. */
export const nginx: Peer = {
  name: "nginx",
  packages: "nginx-light",
  title: "nginx mod_dav, 1 copy, page cache",
  isInstalled: () => hasCommand("nginx"),
  async open(directory) {
    const port = await freePort();
    for (const name of ["files", "bodies"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, "nginx.conf"), configuration(directory, port));
    const server = new Server("nginx", ["-p", directory, "-e", join(directory, "error.log"), "-c", join(directory, "nginx.conf")]);
    const origin = `http://127.0.0.1:${port}`;
    await server.until(() => answers(origin));
    return new WebDavDoor(origin, server);
  },
};

/** As the user who runs it: its worker would otherwise be one who may not write there. */
function configuration(directory: string, port: number): string {
  return `
    daemon off;
    ${process.getuid?.() === 0 ? "user root;" : ""}
    worker_processes auto;
    pid ${directory}/nginx.pid;
    events { worker_connections 1024; }
    http {
      access_log off;
      sendfile on;
      keepalive_requests 1000000;
      client_max_body_size 0;
      client_body_temp_path ${directory}/bodies;
      server {
        listen 127.0.0.1:${port};
        root ${directory}/files;
        dav_methods PUT DELETE;
      }
    }`;
}
