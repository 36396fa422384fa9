import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Limbeck as `npm run build` makes it, in a folder of its own: tests of processes start it ten times and more. */
export interface Build {
  /** Where it is: a package folder that `npm pack` takes. */
  readonly folder: string;
  /** The command line's script. */
  readonly cli: string;
  /** A file of the library, e.g. `run/distill.js`. */
  file(path: string): string;
  remove(): void;
}

export function buildLimbeck({ declarations = false } = {}): Build {
  // Below node_modules, so that packages are found from there.
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'limbeck-test-'));
  for (const name of ['package.json', 'recipe.schema.json', 'bin'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const dist = join(folder, 'dist');
  // Type errors are for the type check to tell: what was written runs all the same, and looking for them takes most of the time.
  const options = [
    '--noCheck',
    '--outDir',
    dist,
    '--sourceMap',
    'false',
    '--declaration',
    String(declarations),
  ];
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json'), ...options], {
    encoding: 'utf8',
  });
  if (!existsSync(join(dist, 'cli', 'main.js'))) throw new Error(`the build failed: ${stdout}`);
  return {
    folder,
    cli: join(folder, 'bin', 'limbeck.js'),
    file: (path) => join(dist, path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
