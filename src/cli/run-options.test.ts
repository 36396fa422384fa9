import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { LimbeckApi } from '../run/api.ts';
import type { Plan } from '../run/planning/stage-plan.ts';
import { createProgram } from './program.ts';
import { commandLine } from './run-options.ts';
import { memoryCli, memoryTerminal } from './testing/memory-terminal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'limbeck-cli-'));
  await writeFile(
    join(folder, 'a.yaml'),
    'name: a\ndata: { source: { kind: wordnet-glosses } }\nstudent: { kind: text-conv }\nteacher: { kind: use-lite }\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

const plan: Plan = {
  stages: [
    { stage: 'label', seconds: 62, secondsAtMost: 62, memoryBytes: 4e8, diskBytes: 4e6, note: 'int8' },
    { stage: 'train', seconds: 100, secondsAtMost: 150, memoryBytes: 6e8, diskBytes: 2e7, note: '' },
  ],
  store: { present: 300, missing: 700, bytes: 16_000 },
  measuredOn: '3 batches',
};

async function run(args: string[], api: Partial<LimbeckApi>) {
  const terminal = memoryTerminal();
  const cli = memoryCli(terminal, args, api, folder);
  await (await createProgram(cli)).parseAsync(args, { from: 'user' });
  return { cli, ...terminal.written };
}

test('the command line becomes recipe and options', async () => {
  const call = vi.fn(async (..._: Parameters<LimbeckApi['plan']>) => plan);
  const args = ['plan', 'a.yaml', '--seed', '7', '--set', 'training.epochs=2', '--set', 'student.width=8'];
  await run([...args, '--store', 's', '--allow-path', '/x', '--no-baseline', '--out', 'o'], { plan: call });
  const [recipe, options] = call.mock.calls[0] ?? [];
  expect(recipe).toMatchObject({ name: 'a', seed: 7, training: { epochs: 2 }, student: { width: 8 } });
  expect(options).toMatchObject({
    out: join(folder, 'o'),
    storeFolder: join(folder, 's'),
    allowPaths: ['/x'],
    recipeFolder: folder,
    baseline: false,
    command: expect.stringMatching(/^npx limbeck plan a.yaml --seed 7 --set training.epochs=2/),
  });
});

test('what is not given is left to the recipe', async () => {
  const call = vi.fn(async (..._: Parameters<LimbeckApi['plan']>) => plan);
  const { out } = await run(['plan', 'a.yaml'], { plan: call });
  const options = call.mock.calls[0]?.[1];
  expect(options).toMatchObject({ out: join(folder, 'runs/a'), baseline: true });
  expect(options).not.toHaveProperty('storeFolder');
  expect(out).toMatch(/in all\s+2 min 42 s\s+600 MB\s+24 MB\s+3 min 32 s at most/);
  expect(out).toMatch(/The store has 300 of 1,000 teacher's answers/);
});

test('a wrong seed, a recipe that is not there, a teacher that is not there', async () => {
  await expect(run(['plan', 'a.yaml', '--seed', '-1'], {})).rejects.toThrow(/whole number/);
  await expect(run(['plan', 'b.yaml'], {})).rejects.toMatchObject({ code: 'cli.no-recipe', where: 'b.yaml' });
  await expect(run(['plan', '.'], {})).rejects.toMatchObject({ code: 'cli.no-recipe' });
  await writeFile(
    join(folder, 'c.yaml'),
    'name: c\ndata: { source: { kind: wordnet-glosses } }\nstudent: { kind: text-conv }\n',
  );
  const { distill } = await import('../run/distill.ts');
  await expect(run(['distill', 'c.yaml'], { distill })).rejects.toMatchObject({ code: 'recipe.no-teacher' });
});

test('the command can be typed again', () => {
  expect(commandLine(['distill', 'my recipe.yaml', '--set', "name=it's"])).toBe(
    `npx limbeck distill 'my recipe.yaml' --set 'name=it'\\''s'`,
  );
});
