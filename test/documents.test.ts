import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { withOperatorTable } from '../scripts/operator-table.ts';
import { parseRecipe } from '../src/recipe/parse.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'recipes/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
// Inside the repository, so that packages are found.
const folder = mkdtempSync(join(ROOT, 'node_modules', '.documents-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (document: string) => readFileSync(join(ROOT, document), 'utf8');

/** The code blocks of a language, without the indentation of the list that they stand in. */
function blocks(document: string, language: string): string[] {
  const found = read(document).matchAll(new RegExp(`^( *)\`\`\`${language}\n([\\s\\S]*?)^\\1\`\`\`$`, 'gm'));
  return [...found].map(([, indent, code]) =>
    (code as string).replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** Runs TypeScript whose imports start at `from`, a folder of the repository; returns what it prints. */
async function run(code: string, from: string): Promise<string> {
  const absolute = code.replaceAll(/from '(\.[^']+)'/g, (_, path) => `from '${join(ROOT, from, path)}'`);
  const file = join(folder, `${Math.abs(hash(code))}.mts`);
  writeFileSync(file, absolute);
  const args = ['--import', import.meta.resolve('tsx'), file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return stdout;
}

const hash = (text: string) =>
  [...text].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) | 0, 7);

test.each(DOCUMENTS)('%s links to files that are there', (document) => {
  const links = [...read(document).matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link as string);
  for (const link of links) expect(existsSync(join(ROOT, dirname(document), link)), link).toBe(true);
});

test("the README's recipe is one", () => {
  const [recipe] = blocks('README.md', 'yaml');
  expect(parseRecipe(recipe as string).teacher?.kind).toBe('use-lite');
});

test('recipes/README.md lists every recipe, with the teacher that it names', () => {
  const listed = [...read('recipes/README.md').matchAll(/^\| `([a-z-]+)` \|[^|]*\|([^|]*)\|/gm)];
  const recipes = readdirSync(join(ROOT, 'recipes')).filter((name) => name.endsWith('.yaml'));
  expect(listed.map(([, name]) => `${name}.yaml`).toSorted()).toEqual(recipes.toSorted());
  for (const [, name, teacher] of listed) {
    const [, shipped] =
      /\.\.\/(models\/[a-z-]+)/.exec(read(`recipes/${name}.yaml`).replace(/^ *#.*$/gm, '')) ?? [];
    expect(teacher?.trim().replaceAll('`', ''), name).toMatch(shipped ?? /^(?!models)/);
  }
});

test('no recipe tests with what its teacher in models/ was trained on', () => {
  const drawn = (name: string) => {
    const { splits } = parseRecipe(read(`recipes/${name}.yaml`)).data;
    if (splits?.test === undefined) return undefined;
    const { validation, test, stratified, seed } = splits;
    return { validation, test, stratified, seed };
  };
  const names = readdirSync(join(ROOT, 'recipes')).flatMap((file) =>
    file.endsWith('.yaml') ? [file.replace('.yaml', '')] : [],
  );
  for (const name of names) {
    const text = read(`recipes/${name}.yaml`).replace(/^ *#.*$/gm, '');
    const [, model] = /\.\.\/models\/([a-z-]+)/.exec(text) ?? [];
    if (model === undefined) continue;
    const card = read(`models/${model}/README.md`);
    const [, made] = /\*\*Made by\*\* `npx limbeck train recipes\/([a-z-]+)\.yaml/.exec(card) ?? [];
    expect(made, model).toBeDefined();
    // Of other sources the test samples are given, whatever the seed.
    expect(drawn(name), name).toEqual(drawn(made as string));
    if (drawn(name)) expect(drawn(name)?.seed, name).toBeDefined();
  }
});

test('docs/operators.md is up to date (npm run operators)', () => {
  const document = read('docs/operators.md');
  expect(withOperatorTable(document)).toBe(document);
});

describe('examples run', () => {
  test('a training step with nothing but ONNX Runtime', async () => {
    const [example] = blocks('docs/training-step.md', 'ts');
    const losses = (await run(example as string, '.'))
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[1]));
    expect(losses).toHaveLength(4);
    expect(losses[0]).toBeCloseTo(0.6548, 3);
    expect(losses[3]).toBeCloseTo(0.3835, 3);
  });

  test('a loss', async () => {
    const [example] = blocks('docs/adding-a-loss.md', 'ts');
    const use = 'console.log(logitMse.kind, logitMse.term({ weight: 0.5 }, { classes: 3 }).weight);';
    expect(await run(`${example}${use}`, 'src/objectives')).toBe('logitMse 0.5\n');
  });

  test('a data source', async () => {
    writeFileSync(join(folder, 'data.txt'), '__label__a one\ntwo\n__label__b\n');
    const [example] = blocks('docs/adding-a-data-source.md', 'ts');
    const use = `
      const context = { resolvePath: (path) => '${folder}/' + path, cacheFolder: '' };
      const source = await fasttext.open({ path: 'data.txt' }, context);
      for await (const row of source.rows()) console.log(JSON.stringify(row.sample?.values.label ?? row));`;
    const lines = (await run(`${example}${use}`, 'src/data/sources')).trim().split('\n');
    expect(lines[0]).toBe('"a"');
    expect(JSON.parse(lines[1] as string).sample.values.text).toBe('two');
    expect(JSON.parse(lines[2] as string).broken.where).toBe('data.txt:3');
  });

  test('a student', async () => {
    const [example] = blocks('docs/adding-a-student.md', 'ts');
    const use = `
      import { buildClassifier } from './build-student.ts';
      const random = { normal: () => 0, uniform: () => 0, integer: () => 0 };
      const context = { vocabularySize: 50, classes: 3, maxLength: 8, random };
      console.log(buildClassifier(textSet, textSet.options.parse({ width: 4 }), context).parameters.length);`;
    expect(await run(`${example}${use}`, 'src/students')).toBe('6\n');
  });
});
