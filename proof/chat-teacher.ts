import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseRecipe } from '../src/index.ts';
import type { RunResult } from '../src/report/result.ts';
import { label } from '../src/run/label.ts';
import { startChatServer } from '../src/teachers/testing/chat-server.ts';
import { servedClassifier } from '../src/teachers/testing/served-classifier.ts';
import { distilRecipe } from './distil-recipe.ts';
import { type Proof, SEEDS } from './proof.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

/** Ways to pay for labels, with as many texts as cost about the same (prices of recipes/chat-teacher.yaml). */
const WAYS = [
  {
    name: 'logprobs',
    title: 'soft labels from log-probabilities',
    texts: 1300,
    overrides: ['teacher.answers=logprobs'],
  },
  {
    name: 'votes',
    title: 'five answers to one request, counted',
    texts: 1240,
    overrides: ['teacher.answers=votes'],
  },
  {
    name: 'single',
    title: 'five requests of one answer, counted',
    texts: 260,
    overrides: ['teacher.answers=votes'],
  },
  { name: 'hard', title: 'one answer', texts: 1300, overrides: ['teacher.answers=hard'] },
] as const;

/** Test and validation texts are the data's own: nobody pays for them. */
const COMMON = ['teacher.compare=false', 'teacher.check=0', 'teacher.key=false', 'teacher.model=served'];

const RUNS = new URL('../runs/proof/', import.meta.url);

/** recipes/chat-teacher.yaml with our own teacher of glosses behind the protocol: what a paid text is worth, by how it is asked. */
export const chatTeacher: Proof = {
  name: 'chat-teacher',
  title: 'A hosted teacher: log-probabilities, votes or one answer, at equal price',
  async run(log) {
    const { file, names } = await glossTeacher(log);
    const teacher = await servedClassifier(file, names, 64);
    // A port of its own, which is part of what answers are kept under.
    const port = 43_917;
    const servers = {
      knows: await startChatServer({ classify: teacher.classify, port }),
      ignores: await startChatServer({ classify: teacher.classify, several: false, port: port + 1 }),
    };
    try {
      const results = new Map<string, RunResult[]>();
      for (const seed of SEEDS) {
        for (const { name, texts, overrides } of WAYS) {
          const server = name === 'single' ? servers.ignores : servers.knows;
          const result = await distilRecipe({
            recipe: 'chat-teacher',
            name: `chat-teacher-${name}`,
            seed,
            overrides: [
              ...overrides,
              ...COMMON,
              `teacher.baseURL=${server.url}`,
              `data.splits.train=${texts}`,
              'teacher.budget={}',
            ],
            // The student without a teacher learns from the same labels in all of them.
            baseline: name === 'logprobs',
            log,
          });
          results.set(name, [...(results.get(name) ?? []), result]);
        }
      }
      return told(results);
    } finally {
      await teacher.release();
      for (const server of Object.values(servers)) await server.close();
    }
  },
};

/** The teacher of recipes/glosses.yaml: the sentence encoder with a head trained on 100 labels a class. */
async function glossTeacher(log: (line: string) => void): Promise<{ file: string; names: string[] }> {
  const path = fileURLToPath(new URL('../recipes/glosses.yaml', import.meta.url));
  const recipe = parseRecipe(readFileSync(path, 'utf8'), {
    file: path,
    overrides: [
      'name=chat-teacher-served',
      'seed=11',
      'teacher.precision=f32',
      'data.splits.train=2600',
      'data.splits.test=200',
    ],
  });
  const out = fileURLToPath(new URL('chat-teacher-served', RUNS));
  const file = `${out}/teacher/model.onnx`;
  if (!existsSync(file)) {
    log('making the teacher that is served');
    await label(recipe, { out, storeFolder: fileURLToPath(new URL('.store', RUNS)) });
  }
  return { file, names: NOUNS.map((name) => `noun.${name}`) };
}

const NOUNS = [
  ...[
    'Tops',
    'act',
    'animal',
    'artifact',
    'attribute',
    'body',
    'cognition',
    'communication',
    'event',
    'feeling',
  ],
  ...[
    'food',
    'group',
    'location',
    'motive',
    'object',
    'person',
    'phenomenon',
    'plant',
    'possession',
    'process',
  ],
  ...['quantity', 'relation', 'shape', 'state', 'substance', 'time'],
];

function told(results: ReadonlyMap<string, readonly RunResult[]>) {
  const accuracies = (name: string) =>
    (results.get(name) ?? []).map(({ student }) => student.metrics.accuracy ?? Number.NaN);
  const money = (name: string) =>
    spreadOf((results.get(name) ?? []).map(({ hostedTeacher }) => hostedTeacher?.money ?? Number.NaN)).mean;
  const without = (results.get('logprobs') ?? []).map(
    ({ baselines = [] }) =>
      baselines.find(({ name }) => name === 'labels')?.result.metrics.accuracy ?? Number.NaN,
  );
  const rows = WAYS.map(({ name, title, texts }) => [
    title,
    String(texts),
    String(
      Math.round(
        spreadOf((results.get(name) ?? []).map(({ hostedTeacher }) => hostedTeacher?.requests ?? 0)).mean,
      ),
    ),
    `${money(name).toFixed(3)} USD`,
    percents(accuracies(name)),
  ]);
  const table = markdownTable([
    ['how the teacher is asked', 'texts', 'requests', 'price', 'student, accuracy, %'],
    ...rows,
    ['no teacher: 10 labels a class', '0', '0', '0', percents(without)],
  ]);
  const mean = (values: readonly number[]) => spreadOf(values).mean;
  const gain = 100 * (mean(accuracies('logprobs')) - mean(accuracies('hard')));
  const overVotes = 100 * (mean(accuracies('logprobs')) - mean(accuracies('votes')));
  const overNone = accuracies('logprobs').map((value, i) => value - (without[i] as number));
  return {
    table,
    text:
      `Mean ± standard deviation over 3 seeds; every student is recipes/chat-teacher.yaml. The teacher is our own (the sentence encoder with a head, recipes/glosses.yaml), served on loopback behind OpenAI's protocol with its true log-probabilities; prices are those of the recipe, tokens counted as one for four bytes. ` +
      `At equal price, log-probabilities bring ${gain.toFixed(1)} points more than one answer, and ${overVotes.toFixed(1)} more than five answers to one request. No hosted model of anybody was asked: how good one is on these classes is not measured here.`,
    claims: [
      {
        text: 'with a hosted teacher the student is better than without, in every seed',
        holds: overNone.every((gained) => gained > 0),
      },
      {
        text: 'no way costs more than 1.1 times what another costs',
        holds:
          Math.max(...WAYS.map(({ name }) => money(name))) <
          1.1 * Math.min(...WAYS.map(({ name }) => money(name))),
      },
    ],
  };
}
