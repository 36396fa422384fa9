import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { distill, parseRecipe, type RunEvent, type RunResult } from '../src/index.ts';
import { DATA_TYPE_CODES } from '../src/onnx/data-type.ts';
import type { TypedValue } from '../src/onnx/graph.ts';
import { GraphBuilder } from '../src/onnx/graph-builder.ts';
import { writeModelFile } from '../src/onnx/node-files.ts';
import { float32, tensor } from '../src/onnx/tensor.ts';
import { randomStream } from '../src/random.ts';
import { accuracyOf } from '../src/report/result.ts';
import { ModelHub } from '../src/teachers/testing/model-hub.ts';
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
    /** The order of its outputs. */
    readonly classes?: readonly string[];
    /** How much of what its words say is chance. */
    readonly noise?: number;
    readonly end?: (g: GraphBuilder, scores: TypedValue) => TypedValue;
    /** What its output is called: `logits` when absent. */
    readonly output?: string;
  },
): void {
  const folder = place.path(name);
  mkdirSync(`${folder}/onnx`, { recursive: true });
  const g = new GraphBuilder();
  const ids = g.input('tokens', 'int64', ['batch', 'sequence']);
  const mask = g.cast(g.input('mask', 'int64', ['batch', 'sequence']), 'float32');
  const { classes = CLASSES, noise = 0 } = choice;
  const weights = WEIGHTS.map((row, id) =>
    classes.map((name) => row[CLASSES.indexOf(name)]! + (id < 4 ? 0 : noise * random.normal())),
  );
  const table = g.initializer('table', float32(weights.flat(), [PIECES.length, CLASSES.length]));
  const embedded = g.mul(g.gather(table, ids), g.unsqueeze(mask, [2]));
  const sums = g.op('CumSum', [embedded, g.scalar(1, 'int64')]);
  const last = g.gather(sums, g.scalar(-1, 'int64'), 1);
  // A decoder that was trained to answer at the token that ends a text.
  const isEnd = g.equal(g.gather(ids, g.scalar(-1, 'int64'), 1), 3);
  const scores = choice.pool === 'last' ? g.mul(last, g.unsqueeze(g.cast(isEnd, 'float32'), [1])) : last;
  g.output(choice.end ? choice.end(g, scores) : g.identity(scores), choice.output ?? 'logits');
  writeModelFile(`${folder}/onnx/model.onnx`, g.build());
  writeFileSync(`${folder}/config.json`, JSON.stringify({ id2label: { ...classes } }));
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

async function accuraciesOf(
  name: string,
  more: object = {},
): Promise<{
  teacher: number;
  student: number;
  warnings: string[];
  told: string[];
  teachers: RunResult['teachers'];
}> {
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
      ...more,
    }),
  );
  const warnings: string[] = [];
  const told: string[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.type === 'log') (event.level === 'warn' ? warnings : told).push(event.message);
  };
  const result = await distill(recipe, place.options(name, { baseline: false, onEvent }));
  const { teacher, student, teachers } = result;
  return { teacher: accuracyOf(teacher), student: accuracyOf(student), warnings, told, teachers };
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

  it('when it is fetched from a hub, and its student reads by a vocabulary that is learnt from the data', {
    timeout: patience(120),
  }, async () => {
    teacherFolder('from-hub', { config: { model_max_length: 64 } });
    writeFileSync(
      place.path('from-hub/config.json'),
      JSON.stringify({ architectures: ['BertForSequenceClassification'], id2label: { ...CLASSES } }),
    );
    const hub = new ModelHub('someone/always-right');
    for (const name of ['onnx/model.onnx', 'config.json', 'tokenizer.json', 'tokenizer_config.json'])
      hub.files.set(name, readFileSync(place.path(`from-hub/${name}`)));
    const endpoint = await hub.start();
    try {
      const { teacher, student, told } = await accuraciesOf('own-tokenizer', {
        inputs: {
          text: {
            modality: 'text',
            field: 'text',
            tokenizer: { train: { vocabulary: 40, minFrequency: 1 } },
          },
        },
        teacher: { kind: 'hub', model: 'someone/always-right', endpoint, precision: 'f32' },
      });
      expect(teacher).toBe(1);
      expect(student).toBeGreaterThan(0.4);
      expect(told).toContainEqual(expect.stringContaining('is a model for text-classification'));
    } finally {
      await hub.stop();
    }
    const shipped = JSON.parse(
      readFileSync(place.path('runs', 'own-tokenizer', 'student', 'tokenizer.json'), 'utf8'),
    );
    // The teacher's own has 28 whole words: w, and what follows it.
    expect(Object.keys(shipped.model.vocab)).toContain('##1');
  });
});

describe('a teacher that reads a prompt before each text', () => {
  const PROMPT = 'w0 w1 w1 ';
  /** It is right where it has read the prompt, whose words say something too. */
  const prompted = (name: string, output?: string) => {
    const said = CLASSES.map((_, c) => WEIGHTS[4]![c]! + 2 * WEIGHTS[5]![c]!);
    teacherFolder(name, {
      end: (g, scores) => g.sub(scores, g.initializer('said', float32(said, [3]))),
      ...(output && { output }),
    });
    const config = { prompts: { query: PROMPT }, default_prompt_name: 'query' };
    writeFileSync(place.path(`${name}/config_sentence_transformers.json`), JSON.stringify(config));
  };

  it('is right with the default one of its files, alone and as one of several, and not without', {
    timeout: patience(120),
  }, async () => {
    prompted('prompted');
    const teacher = { kind: 'onnx', model: 'prompted', precision: 'f32' };
    const { teacher: right, student, warnings } = await accuraciesOf('with-prompt', { teacher });
    expect(right).toBe(1);
    expect(student).toBeGreaterThan(0.4);
    expect(warnings).toContainEqual(expect.stringContaining(`reads '${PROMPT}' before each text`));
    const teachers = [{ prompt: '' }, {}].map((own) => ({ kind: 'onnx', model: 'prompted', ...own }));
    const several = await accuraciesOf('one-prompted', {
      teacher: { kind: 'several', teachers, precision: 'f32', atChance: 'warn' },
    });
    const [without, own] = several.teachers!.members;
    expect(own!.accuracy).toBe(1);
    expect(without!.accuracy).toBeLessThan(0.95);
  });

  it('is not trained whole, and it is told what to change', async () => {
    prompted('whole', 'sentence_embedding');
    const whole = { kind: 'onnx', model: 'whole', train: 'all' };
    await expect(accuraciesOf('whole-prompted', { teacher: whole })).rejects.toMatchObject({
      code: 'recipe.invalid',
      where: expect.stringContaining(`with the prompt '${PROMPT}' before each text`),
      remedy: expect.stringContaining("Set teacher.prompt to ''"),
    });
  });
});

describe('several teachers', () => {
  it('with orders of classes and tokenizers of their own count by what each is worth, which is told', {
    timeout: patience(120),
  }, async () => {
    teacherFolder('right', {});
    // Another length is another way to read: it gets columns of its own.
    teacherFolder('guessing', { classes: ['c', 'a', 'b'], noise: 6, config: { model_max_length: 100 } });
    // A file that is called as most are says nothing beside another one either.
    renameSync(place.path('guessing/onnx/model.onnx'), place.path('guessing/onnx/model_quantized.onnx'));
    const { teacher, student, teachers } = await accuraciesOf('several', {
      teacher: {
        kind: 'several',
        teachers: [
          { kind: 'onnx', model: 'right' },
          { kind: 'onnx', model: 'guessing' },
        ],
        weights: 'validation',
        precision: 'f32',
      },
    });
    expect(teacher).toBeGreaterThan(0.95);
    expect(student).toBeGreaterThan(0.4);
    const [right, guessing] = teachers!.members;
    expect(right).toMatchObject({ title: 'right', accuracy: 1 });
    expect(right!.weight).toBeGreaterThan(0.9);
    expect(guessing!.title).toBe('guessing');
    expect(guessing!.accuracy).toBeGreaterThan(0.34);
    expect(guessing!.accuracy).toBeLessThan(1);
    expect(teachers).toMatchObject({ together: teacher, anyRight: 1 });
    expect(readFileSync(place.path('runs', 'several', 'report.html'), 'utf8')).toContain(
      'Each teacher alone',
    );
  });

  it('of which one is an encoder whose head is trained in the run, from labels alone', {
    timeout: patience(120),
  }, async () => {
    teacherFolder('encoder', { output: 'sentence_embedding' });
    teacherFolder('with-classes', { classes: ['c', 'a', 'b'], noise: 6, config: { model_max_length: 100 } });
    const several = {
      teacher: {
        kind: 'several',
        teachers: [
          { kind: 'onnx', model: 'encoder', train: 'head', head: { epochs: 30, learningRate: 0.02 } },
          { kind: 'onnx', model: 'with-classes' },
        ],
        weights: 'validation',
        precision: 'f32',
      },
    };
    const { teacher, student, teachers, told } = await accuraciesOf('one-trained', several);
    expect(teachers!.members.map(({ title }) => title)).toEqual([
      'encoder and a linear head',
      'with-classes',
    ]);
    const [encoder, other] = teachers!.members;
    expect(encoder!.accuracy).toBeGreaterThan(0.85);
    expect(other!.accuracy).toBeLessThan(encoder!.accuracy);
    expect(teacher).toBeGreaterThanOrEqual(encoder!.accuracy - 0.05);
    expect(student).toBeGreaterThan(0.4);
    expect(told).toContainEqual(expect.stringMatching(/^the teachers count, by 40 validation samples/));
  });
});

describe('a student of a model', () => {
  it('that was trained before begins where that ended', { timeout: patience(120) }, async () => {
    teacherFolder('begun', {});
    // A new head over its scores, and the table of words below them, learn on.
    const { student } = await accuraciesOf('given', {
      teacher: { kind: 'onnx', model: 'begun', precision: 'f32' },
      student: { kind: 'onnx', model: 'begun', attach: 'logits' },
      training: {
        epochs: 10,
        batchSize: 32,
        optimizer: { kind: 'adamw', learningRate: 0.1 },
        earlyStopping: false,
      },
    });
    expect(student).toBeGreaterThan(0.9);
  });
});
