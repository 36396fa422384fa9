import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Compiles a clone of the repository when its `dist/` is missing or older than its sources. An installed package has no
 * sources and is left alone.
 *
 * @param {string} root the folder with `src/` and `dist/`
 * @returns {string | undefined} why it could not be built
 */
export function buildClone(root) {
  const source = join(root, 'src');
  const dist = join(root, 'dist');
  if (!existsSync(join(source, 'index.ts')) || isFresh(source, join(dist, 'cli', 'main.js')))
    return undefined;
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(tsc)) return 'Limbeck is not built yet. In its folder, run: npm ci';
  process.stderr.write('Building Limbeck from its sources...\n');
  // Written beside and renamed, so that another process never imports half a build.
  const [made, old] = [`${dist}.new-${process.pid}`, `${dist}.old-${process.pid}`];
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', made];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options], { encoding: 'utf8' });
  if (status !== 0) {
    rmSync(made, { recursive: true, force: true });
    return `Limbeck could not be built:\n${stdout}`;
  }
  try {
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(made, dist);
  } catch (error) {
    // Another process may have put its own build there meanwhile; that one serves as well.
    if (!existsSync(dist)) throw error;
  }
  for (const folder of [made, old]) rmSync(folder, { recursive: true, force: true });
  return undefined;
}

/** Whether a build is newer than every source file. */
function isFresh(source, built) {
  if (!existsSync(built)) return false;
  const since = statSync(built).mtimeMs;
  return readdirSync(source, { recursive: true }).every(
    (name) => statSync(join(source, name)).mtimeMs <= since,
  );
}
