import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patience } from './patience.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Below node_modules, so that packages are found from there. */
const CACHE = join(ROOT, 'node_modules', '.cache');
const BUILDS = join(CACHE, 'limbeck-builds');
const DAY = 24 * 3600 * 1000;
/** What is built, and of what. */
const SOURCES = ['package.json', 'recipe.schema.json', 'tsconfig.json', 'tsconfig.build.json', 'bin', 'src'];

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

/** Compiled once from the same sources, for all files of tests and for later runs of them: that takes 4 s, with declarations 11. */
export function buildLimbeck({ declarations = false } = {}): Build {
  mkdirSync(BUILDS, { recursive: true });
  const hash = sourceHash();
  const whole = join(BUILDS, `${hash}-declarations`);
  const compiled = declarations || existsSync(whole) ? whole : join(BUILDS, hash);
  if (!existsSync(compiled)) once(compiled, () => compile(compiled, declarations));
  const folder = mkdtempSync(join(CACHE, 'limbeck-test-'));
  copyPackage(folder);
  const dist = join(folder, 'dist');
  // `npm pack` follows no links.
  if (declarations) cpSync(join(compiled, 'dist'), dist, { recursive: true });
  else symlinkSync(join(compiled, 'dist'), dist, 'junction');
  return {
    folder,
    cli: join(folder, 'bin', 'limbeck.js'),
    file: (path) => join(dist, path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function copyPackage(to: string): void {
  for (const name of ['package.json', 'recipe.schema.json', 'bin'])
    cpSync(join(ROOT, name), join(to, name), { recursive: true });
}

function sourceHash(): string {
  const hash = createHash('sha256').update(process.version);
  const add = (path: string) => {
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else if (!path.endsWith('.test.ts')) hash.update(path).update(readFileSync(path));
  };
  for (const name of SOURCES) add(join(ROOT, name));
  return hash.digest('hex').slice(0, 16);
}

/** Another worker that wants the same waits for the one that makes it. */
function once(made: string, work: () => void): void {
  const lock = `${made}.lock`;
  try {
    mkdirSync(lock);
  } catch {
    const until = Date.now() + patience(60);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (existsSync(lock) && Date.now() < until) Atomics.wait(pause, 0, 0, 50);
    if (existsSync(made)) return;
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function compile(to: string, declarations: boolean): void {
  for (const name of readdirSync(BUILDS)) {
    const old = join(BUILDS, name);
    if (Date.now() - statSync(old).mtimeMs > DAY) rmSync(old, { recursive: true, force: true });
  }
  const partial = `${to}.${process.pid}`;
  copyPackage(partial);
  const dist = join(partial, 'dist');
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
  if (existsSync(to)) rmSync(partial, { recursive: true });
  else renameSync(partial, to);
}
