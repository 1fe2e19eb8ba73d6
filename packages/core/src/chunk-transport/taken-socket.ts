import { Socket, type SocketConstructorOpts } from "node:net";
import type { FrameReader } from "./frame-reader.ts";

/**
 * Takes a connection over from HTTP, so that it reads into memory of our own: that receives a chunk for a fraction of the
 * CPU time that a stream's parts take. The two sockets end together; `http` remains the one that its server counts.
 *
 * Node offers `onread` for connections that a program opens by itself. For others there is only the handle, which its
 * documentation does not know. `end` is called at least once, with the reason.
 */
export function takeSocket(http: Socket, reader: FrameReader, end: (reason: Error) => void): Socket {
  const owner = http as unknown as { _handle: object | null };
  const options = {
    handle: owner._handle,
    noDelay: true,
    onread: {
      buffer: () => reader.place(),
      callback: (count: number, place: Uint8Array) => {
        try {
          return reader.received(count, place);
        } catch (error) {
          end(error as Error);
          return false;
        }
      },
    },
  };
  owner._handle = null;
  http.setTimeout(0);
  const taken = new Socket(options as SocketConstructorOpts);
  http.once("close", () => taken.destroy());
  return taken.once("error", end).once("close", () => {
    http.destroy();
    end(new Error("the connection ended"));
  });
}
