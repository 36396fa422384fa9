import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

// A room may import from the rooms before it, and from files that lie in src/ itself (but for the public API).
const ROOMS = [
  'platform',
  'onnx',
  'autodiff',
  'engine',
  'runtimes',
  'metrics',
  'data',
  'targets',
  'teachers',
  'knowledge',
  'objectives',
  'weighting',
  'students',
  'generate',
  'compress',
  'train',
  'tasks',
  'export',
  'report',
  'recipe',
  'run',
  'cli',
];
// What only Node has: the command line, what looks at files before there is a recipe, and what runs in a process of its own.
const NODE_EDGE =
  /^cli\/|^data\/survey\/|^data\/isolated\/child\.ts$|^data\/sources\/parquet-decoder\.ts$|(^|\/)node-[\w-]+\.ts$/;
/** Packages that load in Node alone: `nodePackage` asks for them when they are wanted. */
const NODE_PACKAGES = ['onnxruntime-node', 'lmdb', 'sharp', 'koffi', '@huggingface/transformers'];
const SRC = resolve(import.meta.dirname, '../src');

interface Import {
  file: string;
  target: string;
  typeOnly: boolean;
  /** Imported when it is wanted, by `import()`. */
  isLate: boolean;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  const pattern =
    /^\s*(import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^\s*import\s+'([^']+)'|(?<!typeof )import\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    file: relative(SRC, path),
    target: (match[3] ?? match[4] ?? match[5]) as string,
    typeOnly: match[2] !== undefined,
    isLate: match[5] !== undefined,
  }));
}

const files = sourceFiles(SRC);
const isTest = (file: string) => file.endsWith('.test.ts') || file.includes('/testing/');
const sources = files.map((path) => relative(SRC, path)).filter((file) => !isTest(file));

describe('architecture', () => {
  it('has no room that this test does not know', () => {
    const rooms = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map((entry) => entry.name).filter((name) => !ROOMS.includes(name))).toEqual([]);
  });

  it('imports only from rooms further up', () => {
    const wrong: string[] = [];
    for (const { file, target } of files.filter((path) => !isTest(path)).flatMap(importsOf)) {
      if (!target.startsWith('.')) continue;
      const from = file.split('/')[0];
      const imported = relative(SRC, resolve(SRC, dirname(file), target));
      const to = imported.split('/')[0];
      if (!ROOMS.includes(from)) continue;
      const isDown = ROOMS.includes(to) && ROOMS.indexOf(to) > ROOMS.indexOf(from);
      // The public API is for the command line only.
      if (isDown || (to === 'index.ts' && from !== 'cli')) wrong.push(`${file} imports ${imported}`);
    }
    expect(wrong).toEqual([]);
  });

  // Rooms import only from rooms further up, so a circle would be within one.
  it('has no circular imports, not even of types', () => {
    expect(circles(new Map(sources.map((file) => [file, importedBy(file)])))).toEqual([]);
  });

  it('has rooms within src/run/ that import in one direction', () => {
    const roomOf = (file: string) => dirname(file);
    const rooms = new Map<string, string[]>();
    for (const file of sources.filter((path) => dirname(path).startsWith('run/'))) {
      const others = importedBy(file).map(roomOf);
      rooms.set(roomOf(file), [...(rooms.get(roomOf(file)) ?? []), ...others]);
    }
    expect(circles(rooms)).toEqual([]);
  });

  it('keeps Node at the edge: nothing that a page loads imports a module of Node, or a package of it', () => {
    const core = files
      .map((path) => relative(SRC, path))
      .filter((file) => !isTest(file) && !NODE_EDGE.test(file));
    const wrong: string[] = [];
    const seen = new Set<string>();
    const visit = (file: string, path: string[]) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { target, typeOnly } of importsOf(join(SRC, file))) {
        if (typeOnly) continue;
        if (target.startsWith('node:') || NODE_PACKAGES.includes(target))
          wrong.push([...path, file, target].join(' -> '));
        if (target.startsWith('.'))
          visit(relative(SRC, resolve(SRC, dirname(file), target)), [...path, file]);
      }
    };
    for (const file of core) visit(file, []);
    expect(wrong).toEqual([]);
    expect(seen).toContain('browser.ts');
  });

  it('starts the command line without recipes, graphs and zod: help and usage errors are quick', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const { target, typeOnly, isLate } of importsOf(join(SRC, file))) {
        if (typeOnly || isLate) continue;
        if (target.startsWith('.')) visit(relative(SRC, resolve(SRC, dirname(file), target)));
        else if (!target.startsWith('node:')) packages.add(target);
      }
    };
    visit('cli/main.ts');
    expect([...packages].sort()).toEqual(['commander', 'fastest-levenshtein', 'pathe', 'picocolors']);
    const heavy = /^(onnx|autodiff|data|targets|objectives|students|train|run)\/|^recipe\/schema/;
    expect([...seen].filter((file) => heavy.test(file))).toEqual([]);
    expect(seen).toContain('cli/commands/distill.ts');
  });

  it("makes folders with its own mkdir: Node's never returns where a file system takes none (/proc)", () => {
    const wrong = sources.filter((file) => {
      const text = readFileSync(join(SRC, file), 'utf8');
      return /import \{[^}]*\bmkdir(Sync)?\b[^}]*\} from 'node:fs/.test(text);
    });
    expect(wrong).toEqual([]);
  });

  it('uses no Buffer and no process where there may be none', () => {
    // These ask whether they are in Node first, or are reached through what does.
    const own = [
      'platform/bytes.ts',
      'platform/machine.ts',
      'platform/node-modules.ts',
      'limited-time.ts',
      'running-process.ts',
      'engine/c-api-session.ts',
      'engine/ort-c-api.ts',
    ];
    const wrong = files
      .map((path) => relative(SRC, path))
      .filter((file) => !isTest(file) && !NODE_EDGE.test(file) && !own.includes(file))
      .filter((file) =>
        /\bBuffer\.\w|\bprocess\.(env|pid|cwd|platform|arch|version|memoryUsage|exit|on|kill|emit|std\w+|hrtime|resourceUsage)\b/.test(
          codeOf(readFileSync(join(SRC, file), 'utf8')),
        ),
      );
    expect(wrong).toEqual([]);
  });
});

function importedBy(file: string): string[] {
  return importsOf(join(SRC, file))
    .filter(({ target }) => target.startsWith('.'))
    .map(({ target }) => relative(SRC, resolve(SRC, dirname(file), target)));
}

/** Groups of nodes each of which reaches all others of its group (Tarjan's strongly connected components), sorted. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const places = new Map<string, number>();
  const earliest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string) => {
    const place = places.size;
    places.set(node, place);
    earliest.set(node, place);
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!places.has(next)) visit(next);
      if (open.includes(next)) {
        const reached = Math.min(earliest.get(node) as number, earliest.get(next) as number);
        earliest.set(node, reached);
      }
    }
    if (earliest.get(node) !== place) return;
    const group = open.splice(open.indexOf(node)).sort();
    if (group.length > 1) found.push(group);
  };
  for (const node of graph.keys()) if (!places.has(node)) visit(node);
  return found;
}

it('finds circles', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['b', 'e']],
    ['d', []],
    ['e', ['a']],
    ['f', ['a']],
  ]);
  expect(circles(graph)).toEqual([['a', 'b', 'c', 'e']]);
});

// Opening a pipe waits for ever, and no signal ends the wait: so everything is opened by src/regular-file.ts.
it('opens no file that might be a pipe', () => {
  const own = [
    'regular-file.ts',
    'node-file-handle.ts',
    'platform/files.ts',
    // A browser has no pipes.
    'knowledge/record-file.ts',
    // These read what the system or the package itself holds.
    'cli/start.ts',
    'cli/doctor/machine-checks.ts',
    'running-process.ts',
    // These open files in order to write them.
    'replace-file.ts',
    'data/prepared/appending-file.ts',
    'data/hub/download.ts',
    'teachers/parts/block-file.ts',
  ];
  const openers =
    /import \{[^}]*\b(readFileSync|createReadStream|openSync|readFile|open)\b[^}]*\} from '(node:fs|[./]*platform\/(async-)?files\.ts)|\bfs\.(readFile|readFileSync|createReadStream|openSync|open)\(/;
  const wrong = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|[\\/]testing[\\/]/.test(name))
    .map((name) => relative(SRC, join(SRC, name)).replaceAll('\\', '/'))
    .filter((name) => !own.includes(name) && openers.test(codeOf(readFileSync(join(SRC, name), 'utf8'))));
  expect(wrong).toEqual([]);
});

/** A source without its comments, in which examples may read files. */
function codeOf(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '');
}

// What ships is read before it is measured: src/run/shipping/ship-student.ts.
it('writes no student that is not read', () => {
  const writers = files
    .map((path) => relative(SRC, path))
    .filter((file) => !isTest(file) && /\.writeStudent\(/.test(readFileSync(join(SRC, file), 'utf8')));
  // A plan writes one in order to know its size, and deletes it.
  expect(writers.sort()).toEqual(['run/planning/student-stages.ts', 'run/shipping/ship-student.ts']);
});
