import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunEvent } from '../src/events.ts';
import { KnowledgeStore } from '../src/knowledge/store.ts';
import { label } from '../src/run/label.ts';
import { plan } from '../src/run/plan.ts';
import type { Plan, StagePlan } from '../src/run/planning/stage-plan.ts';
import { readGlosses, writeJsonLines } from './support/glosses.ts';
import { patience } from './support/patience.ts';
import { RunPlace, smallRecipe } from './support/small-run.ts';

const place = new RunPlace();
const recipe = smallRecipe(['objective.featureMse.weight=0.3']);
const TEST_TEXTS = 240;

beforeAll(async () => writeJsonLines(place.path('data.jsonl'), await readGlosses(400)));
afterAll(() => place.remove());

const stageOf = ({ stages }: Plan, name: StagePlan['stage']) => stages.find(({ stage }) => stage === name)!;

describe('a plan, and one after the teacher has labelled', () => {
  let before: Plan;
  let after: Plan;
  let labelled: number;
  const events: RunEvent[] = [];

  beforeAll(async () => {
    before = await plan(recipe, place.options('run', { onEvent: (event) => events.push(event) }));
    expect(existsSync(place.path('runs'))).toBe(false);
    const store = await KnowledgeStore.open(place.path('store'));
    expect(await store.list()).toEqual([]);
    await store.close();
    const result = await label(recipe, place.options('labelled'));
    labelled = result.labelled + result.reused + result.repeated;
    after = await plan(recipe, place.options('run', { baseline: false }));
  }, patience(60));

  test('makes no folder for the run', () => {
    expect(existsSync(place.path('runs', 'run'))).toBe(false);
  });

  test('has the stages of a run in their order, each with its costs', () => {
    const names = before.stages.map(({ stage }) => stage);
    expect(names).toEqual([
      'data',
      'teacher',
      'label',
      'peer',
      'train',
      'baseline',
      'export',
      'evaluate',
      'report',
    ]);
    for (const { stage, seconds, secondsAtMost, memoryBytes, diskBytes, note } of before.stages) {
      expect(secondsAtMost, stage).toBeGreaterThanOrEqual(seconds);
      expect(memoryBytes, stage).toBeGreaterThan(1e8);
      if (stage === 'report') continue;
      expect(seconds, stage).toBeGreaterThan(0);
      expect(diskBytes, stage).toBeGreaterThan(0);
      expect(note, stage).not.toBe('');
    }
    expect(before.measuredOn).toMatch(/32 texts of 16, 32 tokens.*onnxruntime-node/);
    expect(events.filter(({ type }) => type === 'stage-start').length).toBe(
      events.filter(({ type }) => type === 'stage-end').length,
    );
  });

  test('knows nothing of the store before a run has told, and says so', () => {
    expect(before.store).toEqual({ present: 0, missing: labelled + TEST_TEXTS, bytes: 0 });
    expect(stageOf(before, 'label').note).toMatch(/no run has made this teacher ready/);
    expect(stageOf(before, 'label').note).toMatch(/\d+ to look into its layers/);
    expect(stageOf(before, 'teacher').note).toMatch(/280 texts to embed/);
  });

  test('counts what the store has afterwards, and what it saves', () => {
    expect(after.store).toMatchObject({ present: labelled, missing: TEST_TEXTS });
    expect(after.store.bytes).toBeGreaterThan(0);
    expect(stageOf(after, 'label').note).toBe('0 texts to ask in f32');
    expect(stageOf(after, 'label').diskBytes).toBe(0);
    expect(stageOf(after, 'label').seconds).toBeLessThan(stageOf(before, 'label').seconds);
    expect(stageOf(after, 'teacher').note).toMatch(/embeddings are in the store/);
    expect(stageOf(after, 'data').note).toBe('prepared earlier');
  });

  test('leaves out the baseline when it is not wanted', () => {
    expect(after.stages.map(({ stage }) => stage)).not.toContain('baseline');
    expect(after.stages.map(({ stage }) => stage)).not.toContain('peer');
    expect(before.stages.map(({ stage }) => stage)).toContain('baseline');
  });
});

test(
  'a recipe without a teacher is planned for training',
  async () => {
    const { teacher: _, ...alone } = recipe;
    const result = await plan(alone, place.options('alone'));
    expect(result.stages.map(({ stage }) => stage)).toEqual(['data', 'train', 'export', 'evaluate']);
    expect(result.store).toEqual({ present: 0, missing: 0, bytes: 0 });
    expect(existsSync(place.path('runs', 'alone'))).toBe(false);
  },
  patience(30),
);

test(
  'stops when it is asked to, before it begins and in the middle',
  async () => {
    await expect(plan(recipe, place.options('run', { signal: AbortSignal.abort() }))).rejects.toMatchObject({
      code: 'run.interrupted',
    });
    const stop = new AbortController();
    const started: string[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type !== 'stage-start') return;
      started.push(event.stage);
      if (event.stage === 'label') stop.abort();
    };
    await expect(plan(recipe, place.options('run', { signal: stop.signal, onEvent }))).rejects.toMatchObject({
      code: 'run.interrupted',
    });
    expect(started).toEqual(['data', 'label']);
  },
  patience(30),
);
