import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { distill, parseRecipe, type RunEvent } from '../src/index.ts';
import { DATA_TYPE_CODES } from '../src/onnx/data-type.ts';
import type { TypedValue } from '../src/onnx/graph.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { float32, tensor } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { accuracyOf } from '../src/report/result.ts';
import { patience } from './support/patience.ts';
import { RunPlace } from './support/small-run.ts';

const CLASSES = ['a', 'b', 'c'];
const WORDS = Array.from({ length: 24 }, (_, i) => `w${i}`);
const PIECES = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...WORDS];
const random = randomStream(5, 'teachers');
/** How much each word speaks for each class; special tokens say nothing. */
const WEIGHTS = PIECES.map((_, id) => CLASSES.map(() => (id < 4 ? 0 : 4 * random.normal())));
const place = new RunPlace();

/** A text is of the class for which its words speak most. */
function rows(): string {
  return Array.from({ length: 240 }, (_, i) => {
    const words = Array.from({ length: 2 + random.integer(9) }, () => random.integer(WORDS.length));
    const sums = CLASSES.map((_, c) => words.reduce((sum, word) => sum + WEIGHTS[word + 4]![c]!, 0));
    const label = CLASSES[sums.indexOf(Math.max(...sums))];
    return JSON.stringify({ id: `${i}`, text: words.map((word) => WORDS[word]).join(' '), label });
  }).join('\n');
}

/** A folder as Hugging Face has it, with a teacher that is always right; `end` makes its output of its scores. */
function teacherFolder(
  name: string,
  choice: {
    readonly config?: object;
    readonly pool?: 'sum' | 'last';
    readonly end?: (g: GraphBuilder, scores: TypedValue) => TypedValue;
  },
): void {
  const folder = place.path(name);
  mkdirSync(`${folder}/onnx`, { recursive: true });
  const g = new GraphBuilder();
  const ids = g.input('tokens', 'int64', ['batch', 'sequence']);
  const mask = g.cast(g.input('mask', 'int64', ['batch', 'sequence']), 'float32');
  const table = g.initializer('table', float32(WEIGHTS.flat(), [PIECES.length, CLASSES.length]));
  const embedded = g.mul(g.gather(table, ids), g.unsqueeze(mask, [2]));
  const sums = g.op('CumSum', [embedded, g.scalar(1, 'int64')]);
  const last = g.gather(sums, g.scalar(-1, 'int64'), 1);
  // A decoder that was trained to answer at the token that ends a text.
  const isEnd = g.equal(g.gather(ids, g.scalar(-1, 'int64'), 1), 3);
  const scores = choice.pool === 'last' ? g.mul(last, g.unsqueeze(g.cast(isEnd, 'float32'), [1])) : last;
  g.output(choice.end ? choice.end(g, scores) : g.identity(scores), 'logits');
  writeModelFile(`${folder}/onnx/model.onnx`, g.build());
  writeFileSync(`${folder}/config.json`, JSON.stringify({ id2label: { ...CLASSES } }));
  writeFileSync(
    `${folder}/tokenizer.json`,
    JSON.stringify({
      version: '1.0',
      added_tokens: PIECES.slice(0, 4).map((content, id) => ({
        id,
        content,
        special: true,
        normalized: false,
      })),
      normalizer: null,
      pre_tokenizer: { type: 'WhitespaceSplit' },
      post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
      decoder: null,
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 20,
        vocab: Object.fromEntries(PIECES.map((piece, id) => [piece, id])),
      },
    }),
  );
  const tokens = { pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]', sep_token: '[SEP]' };
  writeFileSync(`${folder}/tokenizer_config.json`, JSON.stringify({ ...tokens, ...choice.config }));
}

async function accuraciesOf(name: string): Promise<{ teacher: number; student: number; warnings: string[] }> {
  const recipe = parseRecipe(
    stringify({
      name,
      data: {
        source: { kind: 'jsonl', path: 'data.jsonl', idField: 'id' },
        splits: { validation: 40, test: 40 },
        maxLength: 12,
        buckets: [8, 12],
      },
      teacher: { kind: 'onnx', model: name, precision: 'f32' },
      student: { kind: 'text-conv', embedding: 8, width: 8 },
      objective: { kd: { weight: 0.9, temperature: 2 }, labels: { weight: 0.1 } },
      training: { epochs: 2, batchSize: 32, optimizer: { kind: 'adamw', learningRate: 0.01 } },
      export: { int8: false },
      store: 'store',
    }),
  );
  const warnings: string[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.type === 'log' && event.level === 'warn') warnings.push(event.message);
  };
  const { teacher, student } = await distill(recipe, place.options(name, { baseline: false, onEvent }));
  return { teacher: accuracyOf(teacher), student: accuracyOf(student), warnings };
}

beforeAll(() => place.write('data.jsonl', rows()));
afterAll(() => place.remove());

describe('a teacher from its folder is always right', () => {
  it('when it was exported in training mode, computes in float64 and has a large number in all of its scores', {
    timeout: patience(120),
  }, async () => {
    teacherFolder('training-mode', {
      end(g, scores) {
        const training = g.initializer('training', tensor('bool', [], Uint8Array.of(1)));
        const [dropped] = g.node('Dropout', [scores, g.scalar(0.5), training]);
        return g.op('Cast', [g.add(dropped!, 30_000)], { to: DATA_TYPE_CODES.float64 });
      },
    });
    const { teacher, student, warnings } = await accuraciesOf('training-mode');
    expect(teacher).toBe(1);
    expect(student).toBeGreaterThan(0.4);
    expect(warnings).toContainEqual(expect.stringContaining('training mode (1 Dropout)'));
  });

  it('when its outputs are probabilities, as far as their values tell', {
    timeout: patience(120),
  }, async () => {
    teacherFolder('probabilities', { end: (g, scores) => g.mul(g.softmax(scores), g.scalar(1)) });
    const { teacher, warnings } = await accuraciesOf('probabilities');
    expect(teacher).toBe(1);
    expect(warnings).toContainEqual(expect.stringContaining('they sum to 1'));
  });

  it('when it answers at the last token, and its tokenizer pads on the left', {
    timeout: patience(120),
  }, async () => {
    teacherFolder('last-token', { pool: 'last', config: { padding_side: 'left' } });
    expect((await accuraciesOf('last-token')).teacher).toBe(1);
    // On the right it would be asked at the padding: that is refused.
    teacherFolder('last-token-right', { pool: 'last', config: { padding_side: 'right' } });
    await expect(accuraciesOf('last-token-right')).rejects.toMatchObject({ code: 'teacher.padding' });
  });
});
