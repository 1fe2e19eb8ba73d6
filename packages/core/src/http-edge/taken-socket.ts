/**
 * Reads a connection of an HTTP server into memory of our own. That receives bytes for a fraction of the CPU time that a
 * stream's parts take: no buffer is made for each read, nothing is copied, and the garbage collector has nothing to collect.
 *
 * Node offers `onread` for connections that a program opens by itself. For others there is only the handle, which its
 * documentation does not know; whatever of it is not as expected leaves the connection to HTTP.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Socket, type SocketConstructorOpts } from "node:net";

export interface SocketReader {
  /** Where the next read goes. Never empty. */
  place(): Buffer;
  /** `count` bytes have come to `place`, which was the place when they were asked for. False when no more is wanted now. */
  received(count: number, place: Uint8Array): boolean;
}

/** What reads from the connection, in the words of nobody's documentation. */
interface Handle {
  reading: boolean;
  readStop(): void;
  useUserBuffer(buffer: Uint8Array): void;
}

interface Parser {
  unconsume(): void;
}

/** A connection whose requests HTTP has parsed so far. */
type HttpSocket = Socket & { _handle: Handle | null; parser?: Parser | null };

/** Takes a connection over that has become another protocol's. `end` is called at least once, with the reason. */
export function takeSocket(http: Socket, reader: SocketReader, end: (reason: Error) => void): Socket {
  const taken = takeHandle(http as HttpSocket, reader, end);
  http.once("close", () => taken.destroy());
  return taken.once("error", end).once("close", () => {
    http.destroy();
    end(new Error("the connection ended"));
  });
}

/** A connection taken from HTTP for the rest of a request's body. */
export interface BorrowedSocket {
  /** Reads on. */
  resume(): void;
  pause(): void;
  /** The place of the next read, which was asked for already, is no more: it is asked for anew. To be called while paused. */
  renewPlace(): void;
  /** Lets HTTP send its answer. Nothing can be read from the connection after that. To be called while paused. */
  giveBack(): void;
}

/**
 * Undefined when it cannot be taken now. `reader` must not read beyond the body; this is the last request on the connection.
 * When it breaks, so does HTTP's, and whoever listens for that is told.
 */
export function borrowSocket(req: IncomingMessage, res: ServerResponse, reader: SocketReader): BorrowedSocket | undefined {
  const http = req.socket as HttpSocket;
  if (req.readableLength + http.readableLength + http.writableLength > 0 || !isAsExpected(http)) return undefined;
  const { _handle: handle, timeout = 0 } = http;
  http.parser!.unconsume();
  handle!.readStop();
  handle!.reading = false;
  res.shouldKeepAlive = false;

  const fall = (): void => void http.destroy();
  const open = (): Socket => takeHandle(http, reader, fall, { pauseOnCreate: true }).once("error", fall).once("close", fall);
  const shut = (): void => void taken.destroy();
  let taken = open();
  http.once("close", shut);
  const putBack = (): void => {
    taken.off("close", fall);
    (taken as HttpSocket)._handle = null;
    http._handle = handle;
  };
  return {
    resume: () => void taken.resume(),
    pause: () => void taken.pause(),
    renewPlace() {
      if (http.destroyed) return;
      putBack();
      taken = open();
    },
    giveBack() {
      if (http.destroyed) return;
      http.off("close", shut);
      putBack();
      http.setTimeout(timeout);
    },
  };
}

function isAsExpected({ _handle: handle, parser }: HttpSocket): boolean {
  return typeof handle?.useUserBuffer === "function" && typeof parser?.unconsume === "function";
}

/** The two sockets end together; `http` remains the one that its server counts. */
function takeHandle(http: HttpSocket, reader: SocketReader, fail: (reason: Error) => void, how: object = {}): Socket {
  const options = {
    ...how,
    handle: http._handle,
    noDelay: true,
    onread: {
      buffer: () => reader.place(),
      callback: (count: number, place: Uint8Array) => {
        try {
          return reader.received(count, place);
        } catch (error) {
          fail(error as Error);
          return false;
        }
      },
    },
  };
  http._handle = null;
  http.setTimeout(0);
  return new Socket(options as unknown as SocketConstructorOpts);
}
