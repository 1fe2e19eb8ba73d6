/**
 * Who is at the other end of a connection.
 *
 * "On this machine" opens the set-up and the sign-up without a code, so it is believed only when nothing speaks against it:
 * the connection comes from loopback, the address that was typed names loopback (a page of another site can reach us under
 * a name of its own), and no proxy has passed the request on for somebody else.
 */
import type { IncomingMessage } from "node:http";
import { BlockList, isIPv6 } from "node:net";

export interface Peer {
  /** Of the client; of the proxy, when one is in front that is not trusted. */
  address: string;
  /** True when the request was made on this very machine. */
  loopback: boolean;
}

const FORWARDING_HEADER = /^(x-forwarded-.*|forwarded|x-real-ip|via)$/i;
const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet("127.0.0.0", 8, "ipv4");
loopbackAddresses.addAddress("::1", "ipv6");

/** `trustProxy`: the last hop of X-Forwarded-For is believed to be the client. */
export function peerOf(req: IncomingMessage, { trustProxy = false }: { trustProxy?: boolean } = {}): Peer {
  const address = req.socket.remoteAddress ?? "";
  const forwarded = trustProxy ? req.headers["x-forwarded-for"]?.toString().split(",").at(-1)?.trim() : undefined;
  return { address: forwarded ?? address, loopback: isLoopback(address) && isLoopbackName(req.headers.host) && !wasForwarded(req) };
}

function isLoopback(address: string): boolean {
  return address !== "" && loopbackAddresses.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function isLoopbackName(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK_NAME.test(host);
}

/** The raw headers, because whoever came before may have removed what a client has no business saying. */
function wasForwarded(req: IncomingMessage): boolean {
  return req.rawHeaders.some((text, index) => index % 2 === 0 && FORWARDING_HEADER.test(text));
}
