/**
 * A real file system of our own for a node, so that its power can be cut and its space can end.
 *
 * The cut is the kernel's: FS_IOC_SHUTDOWN without flushing the log drops everything that was not made durable, as a disk
 * does that loses its current. Mounting it again replays the journal.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** `FS_IOC_SHUTDOWN` with `FS_GOING_FLAGS_NOLOGFLUSH`. Neither Node nor any usual program can issue it. */
const SHUT_DOWN = `open(my $f, "<", $ARGV[0]) or die "$!"; my $how = pack("L", 2); defined(ioctl($f, 0x8004587D, $how)) or die "$!"`;
const BALLAST = "ballast";

export class LoopDisk {
  readonly directory: string;
  readonly #image: string;

  /** Makes and mounts it. `directory` is made when it is not there. Throws where the rights do not suffice. */
  constructor(image: string, directory: string, bytes: number) {
    this.directory = directory;
    this.#image = image;
    run("truncate", "--size", String(bytes), image);
    run("mkfs.ext4", "-q", "-F", image);
    mkdirSync(directory, { recursive: true });
    this.mount();
    rmdirSync(join(directory, "lost+found"));
  }

  mount(): void {
    run("mount", "-o", "loop", this.#image, this.directory);
  }

  /** Nobody may have a file open on it. */
  unmount(): void {
    run("umount", this.directory);
  }

  sync(): void {
    run("sync", "--file-system", this.directory);
  }

  /** From now on every access fails; what was not durable is gone. */
  cutPower(): void {
    run("perl", "-e", SHUT_DOWN, this.directory);
  }

  /** Takes all the room but so much. The answer gives it back. */
  fill(leaveBytes: number): () => void {
    const { bavail, bsize } = statfsSync(this.directory);
    const file = join(this.directory, BALLAST);
    run("fallocate", "--length", String(Math.max(4_096, bavail * bsize - leaveBytes)), file);
    return () => rmSync(file, { force: true });
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${error?.message ?? stderr}`);
}
