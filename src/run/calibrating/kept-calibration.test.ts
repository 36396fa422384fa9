import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Engine } from '../../engine/engine.ts';
import { createNodeEngine } from '../../engine/node.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { randomStream } from '../../random.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { resnet } from '../../students/resnet.ts';
import { adamw } from '../../train/adamw.ts';
import { formulateFor } from './formulate.ts';
import { calibrated } from './kept-calibration.ts';

let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'limbeck-calibration-'));
});
afterEach(() => rmSync(store, { recursive: true }));

const step = {
  student: buildClassifier(
    resnet,
    { width: 16, stages: 1, blocks: 1, bottleneck: false, zeroInit: false },
    { channels: 1, height: 6, width: 6, classes: 3, random: randomStream(1, 'student') },
  ),
  sizes: { batch: 2 },
  terms: [labelsTerm({ weight: 1 })],
  optimizer: adamw({ weightDecay: 0.01 }),
};

/** An engine that counts the models that it loads. */
function counting(): Engine & { loaded(): number } {
  const engine = createNodeEngine({ threads: 1 });
  let count = 0;
  return {
    ...engine,
    title: engine.title,
    load(...call) {
      count++;
      return engine.load(...call);
    },
    loaded: () => count,
  };
}

const fileOf = () => {
  const [name] = readdirSync(join(store, 'calibrations'));
  return join(store, 'calibrations', name as string);
};

test('a calibration is measured once, and read from then on', async () => {
  const engine = counting();
  const first = await calibrated(store, { ...step, engine });
  expect(first?.trials).not.toEqual({});
  const before = engine.loaded();
  expect(before).toBeGreaterThan(4);
  expect(await calibrated(store, { ...step, engine })).toEqual(first);
  // One model may be loaded: the trial of how large a block is.
  expect(engine.loaded() - before).toBeLessThan(2);
});

test('a damaged file, and one with blocks of another machine, are measured anew', async () => {
  const engine = counting();
  const first = await calibrated(store, { ...step, engine });
  writeFileSync(fileOf(), '{"version": 1');
  expect(await calibrated(store, { ...step, engine })).toMatchObject({ version: first?.version });
  const foreign = {
    ...JSON.parse(readFileSync(fileOf(), 'utf8')),
    formulations: { block: 2, convolutions: {} },
  };
  expect(foreign.forms).toBeGreaterThan(1);
  writeFileSync(fileOf(), JSON.stringify(foreign));
  expect((await calibrated(store, { ...step, engine }))?.formulations?.block).not.toBe(2);
});

test('short trainings are not calibrated', () => {
  const run = { engine: counting(), recipe: {} as never, options: { out: store } };
  expect(formulateFor(run, 100)).toEqual({});
  expect(formulateFor(run, 5000).formulate).toBeTypeOf('function');
});
