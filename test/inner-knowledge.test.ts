import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { knowledgeGraphSchema } from '../src/knowledge/graph/knowledge-graph.ts';
import { randomStream } from '../src/random.ts';
import { checkRecipe } from '../src/recipe/parse.ts';
import { sampleDynamicsSchema } from '../src/report/sample-dynamics.ts';
import { distill } from '../src/run/distill.ts';
import { train } from '../src/run/train.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const place = new RunPlace();
afterAll(() => place.remove());

const COLOURS = ['red', 'green', 'blue'];
const ANIMALS = ['dog', 'cat', 'horse'];
const OTHERS = ['fast', 'slow', 'car', 'house', 'tree', 'river'];

const OUTPUTS = {
  topic: { target: 'class', field: 'topic' },
  tags: { target: 'classes', field: 'tags', empty: 'none' },
  score: { target: 'number', field: 'score' },
  spans: { target: 'token-classes', field: 'spans' },
};
/** What only a teacher says: what it says of topics, taken for vectors. */
const VECTORS = { topic: { target: 'embedding' } };

const COMMON = {
  data: {
    source: { kind: 'jsonl', path: 'rows.jsonl' },
    splits: { validation: 40, test: 40 },
    maxLength: 8,
    buckets: [8],
  },
  baseline: { epochs: 1 },
  export: { int8: false },
  store: 'store',
};

beforeAll(async () => {
  const random = randomStream(1, 'texts');
  const all = [...COLOURS, ...ANIMALS, ...OTHERS];
  const rows = Array.from({ length: 260 }, (_, row) => {
    const words = Array.from({ length: 5 }, () => all[random.integer(all.length)] as string);
    const has = (among: readonly string[]) => words.some((word) => among.includes(word));
    let at = 0;
    const spans = words.flatMap((word) => {
      const [start, end] = [at, at + word.length];
      at = end + 1;
      return ANIMALS.includes(word) ? [{ start, end, label: 'ANIMAL' }] : [];
    });
    const tags = [...(has(COLOURS) ? ['colour'] : []), ...(has(ANIMALS) ? ['animal'] : [])];
    const score = 10 * words.filter((word) => ANIMALS.includes(word)).length + random.normal();
    const topic = has(['red']) ? 'red' : has(ANIMALS) ? 'animal' : 'other';
    // Some rows lack a label, so that the teacher alone speaks of them.
    return JSON.stringify({ text: `${words.join(' ')} ${row}`, topic, tags, score, spans });
  });
  place.write('rows.jsonl', `${rows.join('\n')}\n`);
  const recipe = checkRecipe({
    ...COMMON,
    name: 'teacher',
    outputs: OUTPUTS,
    student: { kind: 'text-attention', width: 32, heads: 2, layers: 2 },
    training: {
      epochs: 6,
      batchSize: 32,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
    },
  });
  await train(recipe, place.options('teacher', { baseline: false }));
}, patience(120));

/** A student of one kind of answers, with all that the inner knowledge has for it. */
function recipeOf(name: string, outputs: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return checkRecipe({
    ...COMMON,
    name,
    outputs,
    teacher: { kind: 'onnx', model: 'runs/teacher/student', precision: 'f32' },
    student: { kind: 'text-attention', width: 16, heads: 2, layers: 1 },
    training: {
      epochs: 3,
      batchSize: 32,
      optimizer: { kind: 'adamw', learningRate: 0.01 },
      earlyStopping: false,
      dynamics: { weigh: true },
    },
    weighting: { kind: 'dynamic', every: 4 },
    knowledge: { graph: { samples: 16 }, layers: 'graph' },
    ...more,
  });
}

const layers = (output: string) => [
  { kind: 'attribution', output, weight: 0.1 },
  { kind: 'hidden', weight: 0.1 },
  { kind: 'similarity', weight: 1 },
];
const only = (name: keyof typeof OUTPUTS) => ({ [name]: OUTPUTS[name] });

const KINDS: Record<
  string,
  { outputs: Record<string, unknown>; losses: Record<string, unknown>[]; judged: boolean }
> = {
  'a class beside several classes': {
    outputs: { topic: OUTPUTS.topic, tags: OUTPUTS.tags },
    losses: [
      { kind: 'kd' },
      { kind: 'bceKd', output: 'tags' },
      { kind: 'boundary', weight: 0.1 },
      ...layers('tags'),
    ],
    judged: true,
  },
  'several classes': {
    outputs: only('tags'),
    losses: [{ kind: 'bceKd' }, { kind: 'bce' }, { kind: 'boundary', weight: 0.1 }, ...layers('tags')],
    judged: true,
  },
  'a number': {
    outputs: only('score'),
    losses: [{ kind: 'mseKd' }, { kind: 'mse' }, ...layers('score')],
    judged: false,
  },
  'spans of a text': {
    outputs: only('spans'),
    losses: [{ kind: 'tokenKd' }, { kind: 'tokenLabels' }, ...layers('spans')],
    judged: true,
  },
  'vectors of a teacher': {
    outputs: VECTORS,
    losses: [{ kind: 'cosineKd' }, ...layers('topic')],
    judged: false,
  },
};

describe.each(Object.keys(KINDS))('%s', (kind) => {
  const { outputs, losses, judged } = KINDS[kind] as (typeof KINDS)[string];
  const name = kind.replaceAll(' ', '-');
  const file = (...names: string[]) => readFileSync(place.path('runs', name, ...names), 'utf8');

  test(
    'is distilled with all that it has',
    async () => {
      const curriculum = kind.startsWith('vectors') ? 'dynamics' : 'teacher-confidence';
      const recipe = recipeOf(name, outputs, {
        objective: losses,
        training: {
          epochs: 2,
          batchSize: 32,
          optimizer: { kind: 'adamw', learningRate: 0.01 },
          earlyStopping: false,
          dynamics: { weigh: true },
          curriculum: { kind: curriculum, start: 0.5, epochs: 1 },
        },
        ...(name === 'several-classes' && {
          data: { ...COMMON.data, mixup: { part: 0.2, boundary: 0.5 } },
        }),
      });
      const events: string[] = [];
      const options = place.options(name, {
        baseline: false,
        onEvent: (event) => event.type === 'log' && event.level === 'warn' && events.push(event.message),
      });
      const { student } = await distill(recipe, options);
      for (const value of Object.values(student.metrics)) expect(Number.isFinite(value)).toBe(true);
      expect(events.filter((message) => message.includes('knowledge graph'))).toEqual([]);

      const steps = file('metrics.jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, number>)
        .filter((row) => 'cause/divergence' in row);
      expect(steps.length).toBeGreaterThan(0);
      for (const row of steps) {
        expect(row['cause/divergence']).toBeGreaterThanOrEqual(0);
        expect(row['cause/divergence']).toBeLessThanOrEqual(1);
      }
      // The last step has trained coefficients.
      expect(steps.at(-1)?.['weighting/validation_loss']).toBeGreaterThan(0);

      const dynamics = sampleDynamicsSchema.parse(JSON.parse(file('dynamics.json')));
      expect(dynamics.samples).toBe(180);
      expect(dynamics.confidence).toBeGreaterThan(0);
      expect(dynamics.correctness !== undefined).toBe(judged);

      const graph = knowledgeGraphSchema.parse(JSON.parse(file('knowledge-graph.json')));
      expect(graph.layers).toHaveLength(2);
      expect(graph.nodes.filter((node) => node.kind === 'class').length).toBeGreaterThan(0);
      expect(graph.layers.some(({ importance }) => importance > 0)).toBe(true);
      expect(existsSync(place.path('runs', name, 'report.html'))).toBe(true);
      // Without baselines there are no linear peers, unless they help to teach.
      expect(existsSync(place.path('runs', name, 'peer'))).toBe(false);
      expect(existsSync(place.path('runs', name, 'checkpoints', 'linear-answers'))).toBe(false);
    },
    patience(60),
  );
});

describe('what has no meaning is refused with its key and its reason', () => {
  const wrong = (outputs: Record<string, unknown>, more: Record<string, unknown>) => () =>
    recipeOf('wrong', outputs, {
      weighting: { kind: 'fixed' },
      knowledge: {},
      training: { epochs: 1 },
      ...more,
    });

  test.each([
    [
      { objective: [{ kind: 'boundary', weight: 1 }] },
      /objective\[0\].*a number changes without a decision boundary/s,
    ],
    [{ data: { ...COMMON.data, mixup: {} } }, /data\.mixup.*decision boundary/s],
    [{ data: { ...COMMON.data, adversarial: {} } }, /data\.adversarial.*decision boundary/s],
    [{ continual: { tasks: 2 } }, /continual.*no classes that could be divided/s],
  ])('of a number: %o', (more, message) => {
    expect(wrong(only('score'), more)).toThrow(message);
  });

  test('of vectors, tokens, several classes and several outputs', () => {
    expect(wrong(VECTORS, { training: { curriculum: { kind: 'teacher-confidence' } } })).toThrow(
      /training\.curriculum.*does not say how sure it is/s,
    );
    expect(wrong(only('spans'), { objective: [{ kind: 'boundary', weight: 1 }] })).toThrow(
      /a boundary of its own/,
    );
    expect(wrong(only('tags'), { continual: { tasks: 2 } })).toThrow(/continual.*several tasks/s);
    expect(wrong(only('topic'), { continual: { tasks: 2 } })).toThrow(/continual.*rename 'topic'/s);
    const beside = { topic: OUTPUTS.topic, score: OUTPUTS.score };
    expect(wrong(beside, { data: { ...COMMON.data, mixup: {} } })).toThrow(/the output 'score'.*needs/s);
  });
});
