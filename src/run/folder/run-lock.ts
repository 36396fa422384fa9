import { LimbeckError } from '../../errors.ts';
import { linkSync, lstatSync, renameSync, rmSync, statSync, writeFileSync } from '../../platform/files.ts';
import { hostName, PROCESS_ID } from '../../platform/machine.ts';
import { dirname, join } from '../../platform/paths.ts';
import { readRegularText } from '../../regular-file.ts';
import { isRunning, processStart } from '../../running-process.ts';
import { whyNotWritten } from '../../writable-folder.ts';

/** The locks that this process holds: its own id in a lock may also be left from a process that had it before. */
const HELD = new Set<string>();

/** File systems that know no hard links (exFAT, some network folders) answer a link with one of these. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/**
 * Whether a process of another machine is still there cannot be asked. A run writes `state.json` every few seconds, so one
 * that has been silent for this long is taken for dead.
 */
const SILENT_MINUTES = 10;

/**
 * Makes `path` a file that says which process works here: its id, its machine, its start, a line each. One that a killed
 * process left is taken over, also when its id is another process's by now.
 * Throws LimbeckError `run.locked` while another one works here, `run.write` when the file cannot be made.
 */
export function takeLock(path: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    if (createLock(path)) {
      HELD.add(path);
      return;
    }
    const content = readLock(path);
    const owner = ownerOf(content, path);
    if (owner !== undefined) throw locked(owner, path);
    removeLeft(path, content);
  }
  throw locked('another process began to work in this folder', path);
}

/** Gives the lock back, if this process holds it. */
export function releaseLock(path: string): void {
  const isOwn = isLockOwn(path);
  if (HELD.delete(path) && isOwn) rmSync(path, { force: true });
}

/** Whether a lock that this process took is still there: whoever removes the folder of a run removes its lock with it. */
export function isLockOwn(path: string): boolean {
  try {
    return readRegularText(path) === ownContent();
  } catch {
    return false;
  }
}

function ownContent(): string {
  return `${PROCESS_ID}\n${hostName()}\n${processStart(PROCESS_ID) ?? ''}\n`;
}

/** Who works here; undefined when the one that did is gone. */
function ownerOf(content: string, path: string): string | undefined {
  const [id = '', host = '', start = ''] = content.split('\n');
  const pid = Number.parseInt(id, 10);
  if (host !== '' && host !== hostName()) {
    const minutes = (Date.now() - lastSign(path)) / 60_000;
    // A clock that went back, or another machine's that is ahead, is no reason to take it over.
    if (minutes >= SILENT_MINUTES) return undefined;
    return `process ${pid} on the machine '${host}' is working in this folder, or was ${Math.max(0, minutes).toFixed(0)} minutes ago`;
  }
  const isAlive =
    pid === PROCESS_ID
      ? HELD.has(path)
      : isRunning(pid) && (start === '' || start === (processStart(pid) ?? start));
  return isAlive ? `process ${pid} is working in this folder` : undefined;
}

/** When the run in the lock's folder last wrote something. */
function lastSign(path: string): number {
  const times = [path, join(dirname(path), 'state.json')].map(
    (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...times);
}

/**
 * Removes the lock that a dead process left, and no other: two processes may find the same one, and the slower must not
 * remove what the faster has made by then.
 */
function removeLeft(path: string, content: string): void {
  const moved = `${path}.${PROCESS_ID}.left`;
  try {
    renameSync(path, moved);
    if (readLock(moved) !== content) linkSync(moved, path);
  } catch {
    // Another process was faster; then making it is going to fail.
  } finally {
    rmSync(moved, { force: true });
  }
}

/**
 * Whether the lock was free. It appears with the id in it: a process that saw it empty would take it for a dead one's.
 */
function createLock(path: string): boolean {
  const written = `${path}.${PROCESS_ID}`;
  const content = ownContent();
  try {
    rmSync(written, { force: true });
    writeFileSync(written, content, { flag: 'wx' });
    try {
      linkSync(written, path);
    } catch (cause) {
      if (!NO_LINKS.has(codeOf(cause))) throw cause;
      writeFileSync(path, content, { flag: 'wx' });
    }
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw new LimbeckError('run.write', `could not write: ${whyNotWritten(path, cause)}`, {
      where: path,
      remedy:
        'Check that the folder can be written to and the disk has room, or choose another one with --out.',
      cause,
    });
  } finally {
    rmSync(written, { force: true });
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? '';
}

function locked(problem: string, lock: string): LimbeckError {
  return new LimbeckError('run.locked', problem, {
    where: lock,
    remedy:
      'Wait for it, stop it, or choose another folder with --out. If it is no process of Limbeck, delete this file.',
  });
}

/** What a lock says; nothing when it is gone. Throws LimbeckError `run.locked` when it is not a file that can be read. */
function readLock(path: string): string {
  try {
    if (!lstatSync(path).isFile()) throw new Error('it is not a file');
    return readRegularText(path);
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return '';
    throw locked(`the lock cannot be read: ${(cause as Error).message}`, path);
  }
}
