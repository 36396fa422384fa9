import { expect, test } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { labelsTerm } from '../../objectives/cross-entropy.ts';
import { randomStream } from '../../random.ts';
import { buildClassifier } from '../../students/build-student.ts';
import { resnet } from '../../students/resnet.ts';
import { textConv } from '../../students/text-conv.ts';
import { adamw } from '../adamw.ts';
import { calibrate, stepConvolutions } from './calibrate.ts';
import { channelBlock } from './channel-block.ts';
import { formsOf, weightFormsOf } from './convolution-trials.ts';
import { processorTimes } from './processor-time.ts';

const engine = createNodeEngine({ threads: 1 });
const random = () => randomStream(1, 'student');
const step = {
  student: buildClassifier(
    resnet,
    { width: 16, stages: 1, blocks: 1, bottleneck: false, zeroInit: false },
    { channels: 1, height: 8, width: 8, classes: 3, random: random() },
  ),
  sizes: { batch: 4 },
  terms: [labelsTerm({ weight: 1 })],
  optimizer: adamw({ weightDecay: 0.01 }),
};
const PLAIN = '16x8x8 to 16x3x3 stride 1x1 pads 1,1,1,1';
const STEM = '1x8x8 to 16x3x3 stride 1x1 pads 1,1,1,1';

test('every kind of convolution is timed in every form that it can have', async () => {
  const found = await calibrate({ ...step, engine });
  expect(Object.keys(found?.trials ?? {}).sort()).toEqual([PLAIN, STEM].sort());
  const forms = (await channelBlock(engine)) > 0 ? ['blocked', 'filtering', 'plain'] : ['filtering', 'plain'];
  expect(Object.keys(found?.trials[PLAIN] ?? {}).sort()).toEqual(forms);
  for (const times of Object.values(found?.trials ?? {}))
    for (const time of Object.values(times)) expect(time).toBeGreaterThan(0);
  // What was chosen was faster in the whole step as well.
  if (found?.formulations) expect(found.step.after).toBeLessThan(found.step.before);
  // The weights' gradients have forms of their own, but for those that filtering has.
  const measured = Object.keys(found?.weightTrials ?? {});
  for (const [key, form] of Object.entries(found?.formulations?.convolutions ?? {}))
    if (form === 'plain') expect(measured).toContain(key);
  for (const times of Object.values(found?.weightTrials ?? {}))
    expect(Object.keys(times)).toEqual(expect.arrayContaining(['places', 'columns']));
});

test('weights have gradients in blocks where dy is, and none of their own where filtering has them', () => {
  const convolutions = stepConvolutions(step);
  const [plain, stem] = [convolutions.get(PLAIN), convolutions.get(STEM)];
  if (!plain || !stem) throw new Error('the student has no such convolutions');
  expect(weightFormsOf(plain, 'blocked', 16)).toEqual(
    ['blocked', 'places', 'columns', 'swapped'].slice(0, 3),
  );
  expect(weightFormsOf(plain, 'plain', 16)).toEqual(['places', 'columns']);
  expect(weightFormsOf(stem, 'plain', 16)).toEqual(['swapped', 'places', 'columns']);
  expect(weightFormsOf(plain, 'filtering', 16)).toEqual([]);
});

test('channels that are no whole blocks, and engines without blocks, have the other forms', () => {
  const [node] = [...stepConvolutions(step)].filter(([key]) => key === PLAIN).map(([, found]) => found);
  if (!node) throw new Error('the student has no such convolution');
  expect(formsOf(node, 16)).toContain('blocked');
  expect(formsOf(node, 0)).not.toContain('blocked');
  // Two samples share blocks of 32; the four that are here share blocks of 64, and more cannot.
  expect(formsOf(node, 32)).toContain('blocked');
  expect(formsOf(node, 64)).toContain('blocked');
  expect(formsOf(node, 128)).not.toContain('blocked');
});

test('a step without images has nothing to choose', async () => {
  const student = buildClassifier(
    textConv,
    { embedding: 8, width: 16, kernel: 3 },
    { vocabularySize: 30, classes: 3, maxLength: 8, random: random() },
  );
  const sizes = { batch: 4, sequence: 8 };
  expect(await calibrate({ ...step, student, sizes, engine })).toBeUndefined();
});

test('a model that cannot be loaded takes forever', async () => {
  const refuses = { ...engine, load: () => Promise.reject(new Error('no')) };
  const graph = step.student.graph;
  expect(await processorTimes(refuses, [{ graph, feeds: {} }])).toEqual([Number.POSITIVE_INFINITY]);
});
