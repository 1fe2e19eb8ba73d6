/** A place to put files and to read them from: the Drive by one of its protocols, or a peer. */
export interface Door {
  /** How many times it keeps each byte on this machine's disk. */
  readonly copies: number;
  processes(): ServerProcess[];
  /** Puts a file of that many random bytes; resolves when it is acknowledged. */
  put(name: string, length: number): Promise<void>;
  /** The same in requests of a chunk each; calls back with the time that each took. Absent where a file is one request. */
  putInChunks?(name: string, length: number, took: (ms: number) => void): Promise<void>;
  /** Reads it, or `length` bytes from `from`, and throws everything away. Absent where nothing can be read. */
  read?(name: string, range?: { from: number; length: number }): Promise<{ firstByteMs: number }>;
  /** Bytes that its files take on the disk now, and what is written about them elsewhere. Absent where nobody can tell. */
  footprint?(): Promise<{ data: number; metadata: number }>;
  close(): Promise<void>;
}

/** A process whose time and memory count. */
export interface ServerProcess {
  role: "gateway" | "node" | "other";
  pid: number;
}
