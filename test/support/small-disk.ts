import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** A file system of a few KiB, mounted at a folder; only root can have one. */
export class SmallDisk {
  readonly path: string;

  /** undefined where mounting is not allowed. */
  static mount(path: string, kib: number): SmallDisk | undefined {
    mkdirSync(path, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'limbeck-test', path], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    return new SmallDisk(path);
  }

  private constructor(path: string) {
    this.path = path;
  }

  remount(options: string): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.path]);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.path]);
  }
}
