import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { recipeJsonSchema } from './schema.ts';

// What a message tells a person to set must exist: keys of recipes as in `export.int8.maxDrop`, and options of commands.

const SRC = resolve(import.meta.dirname, '..');
const sources = readdirSync(SRC, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  // Pages are templates full of code, and tell nobody what to set.
  .filter((path) => !path.includes('/testing/') && !path.includes('/report/html/'));

interface Node {
  properties?: Record<string, Node>;
  items?: Node;
  additionalProperties?: Node | boolean;
  anyOf?: Node[];
  oneOf?: Node[];
  allOf?: Node[];
  $ref?: string;
  $defs?: Record<string, Node>;
}

const schema = recipeJsonSchema() as Node;

/** All that a key may stand for below a node: unions have several. */
function below(node: Node, key: string): Node[] {
  if (node.$ref) return below(schema.$defs?.[node.$ref.split('/').at(-1) ?? ''] ?? {}, key);
  const own = node.properties?.[key];
  const any = typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
  const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return [...(own ? [own] : any), ...branches.flatMap((branch) => below(branch, key))];
}

const exists = (path: string) =>
  path.split('.').reduce((nodes, key) => nodes.flatMap((node) => below(node, key)), [schema]).length > 0;

const sections = Object.keys(schema.properties ?? {});
/** `data.maxLength` in a text: a section of the recipe, a point, a key. Code that reads a recipe has no quotes around it. */
const KEY = new RegExp(`(?<![\\w./$'-])(${sections.join('|')})((?:\\.[a-z][A-Za-z0-9]*)+)(?![\\w(/])`, 'g');

/** Texts in quotes on one line, without comments and imports. */
function textsOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(\*|\/\/|\/\*|import|export .* from)/.test(line))
    .flatMap((line) => [...line.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`?/g)])
    .map(([, single, double, template]) => single ?? double ?? template ?? '')
    .map((text) => text.replace(/\$\{[^}]*\}/g, '…'))
    .filter((text) => text.includes(' '));
}

it('knows which keys exist', () => {
  expect(exists('export.int8.maxDrop')).toBe(true);
  expect(exists('training.optimizer.learningRate')).toBe(true);
  expect(exists('export.int8.aware')).toBe(false);
  expect(exists('training.learningRate')).toBe(false);
});

it('names only keys that exist in what it tells a person', () => {
  const unknown: string[] = [];
  let named = 0;
  for (const path of sources) {
    for (const text of textsOf(path)) {
      for (const [key] of text.matchAll(KEY)) {
        // Names of files and of codes: data.jsonl, export.int8-drop.
        if (/\.(jsonl?|csv|tsv|mdb|txt|md|html|onnx|parquet|gz|ts|js|yaml)$/.test(key)) continue;
        named++;
        if (!exists(key)) unknown.push(`${path.slice(SRC.length + 1)}: ${key} in «${text}»`);
      }
    }
  }
  expect(named).toBeGreaterThan(40);
  expect(unknown).toEqual([]);
});

it('names only options that some command has', () => {
  const text = sources.map((path) => readFileSync(path, 'utf8')).join('\n');
  const declared = new Set(
    [...text.matchAll(/\.(?:option|requiredOption)\(\s*'([^']*)'|new Option\(\s*'([^']*)'/g)].flatMap(
      ([, one = '', other = '']) => (one + other).match(/--[a-z][a-z-]*/g) ?? [],
    ),
  );
  expect(declared.size).toBeGreaterThan(15);
  const unknown = new Set<string>();
  for (const path of sources) {
    for (const told of textsOf(path)) {
      // Options of other programs stand in commands of theirs.
      if (/\b(npm|node|npx tsx|git|apt)\b/.test(told)) continue;
      for (const [option] of told.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)) {
        const plain = option.replace(/^--no-/, '--');
        if (!declared.has(option) && !declared.has(plain) && !['--help', '--version'].includes(option))
          unknown.add(`${path.slice(SRC.length + 1)}: ${option}`);
      }
    }
  }
  expect([...unknown]).toEqual([]);
});
