/**
 * The memory of all uploads of a process: a fixed number of buffers, each as long as a chunk.
 *
 * Whoever needs one waits in line, so a thousand uploads use the memory of a few dozen, and none of them starves: every
 * upload asks for one buffer at a time. While it waits, its client's socket is not read.
 */
export interface BufferBudget {
  acquire(): Promise<PooledBuffer>;
  /** Whether somebody is waiting in line. */
  isContended: () => boolean;
}

export interface PooledBuffer {
  readonly bytes: Buffer;
  /** Gives the place back, once. A buffer that is still in use by others is left to them, and a new one takes its place. */
  release(stillInUse?: boolean): void;
}

export function createBufferBudget({ budgetBytes, bufferBytes }: { budgetBytes: number; bufferBytes: number }): BufferBudget {
  let places = Math.max(1, Math.floor(budgetBytes / bufferBytes));
  const idle: Buffer[] = [];
  const line: (() => void)[] = [];

  const lend = (): PooledBuffer => {
    const bytes = idle.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    return {
      bytes,
      release(stillInUse = false) {
        if (!stillInUse) idle.push(bytes);
        const next = line.shift();
        if (next === undefined) places++;
        else next(); // the place goes to whoever waited longest, not to whoever asks first now
      },
    };
  };

  return {
    async acquire() {
      if (places > 0) places--;
      else await new Promise<void>((resolve) => line.push(resolve));
      return lend();
    },
    isContended: () => line.length > 0,
  };
}
