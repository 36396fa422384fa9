import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, softmax } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../data/testing/temporary-folder.ts';
import { int64 } from '../onnx/tensor.ts';
import { runGraph } from '../onnx/testing/run-graph.ts';
import { randomStream } from '../random.ts';
import { buildStudent } from '../students/build-student.ts';
import { backboneFor } from '../students/index.ts';
import { type AnyTarget, findTarget, openHead } from '../targets/index.ts';
import { textArchitecture } from './text-architectures.ts';
import { writeTextStudent } from './text-student.ts';

const newFolder = temporaryFolders();
const SIZES = { width: 16, heads: 2, layers: 3, feedForward: 24 };

test.each([
  [
    'bert',
    SIZES,
    'BertForSequenceClassification',
    { model_type: 'bert', hidden_size: 16, num_hidden_layers: 3, intermediate_size: 24 },
  ],
  [
    'albert',
    { ...SIZES, embedding: 8 },
    'AlbertForSequenceClassification',
    {
      model_type: 'albert',
      embedding_size: 8,
      hidden_size: 16,
      num_hidden_layers: 3,
      num_attention_heads: 2,
    },
  ],
  [
    'distilbert',
    SIZES,
    'DistilBertForSequenceClassification',
    { model_type: 'distilbert', dim: 16, n_layers: 3, n_heads: 2, hidden_dim: 24 },
  ],
])('transformers.js runs %s as its own class, with the same answers', async (kind, options, name, config) => {
  const folder = join(await newFolder(), 'student');
  const tokenizer = await useLiteTokenizer();
  const backbone = backboneFor(kind, 'text');
  const head = openHead({
    ...{ output: 'logits', target: findTarget('class') as AnyTarget, options: {} },
    ...{ space: { names: ['a', 'b', 'c'] }, labels: 'labels' },
  });
  const { graph: model } = buildStudent({
    ...{ backbone, options: backbone.options.parse(options), heads: [head] },
    inputs: { vocabularySize: tokenizer.vocabularySize, maxLength: 32 },
    random: randomStream(1, 'student'),
  });
  writeTextStudent(folder, {
    ...{ model, quantized: null, architecture: kind, heads: [head] },
    vocabularySize: tokenizer.vocabularySize,
    ...{ padTokenId: tokenizer.padId, maxLength: 32, endIds: tokenizer.endIds },
    tokenizerFiles: tokenizer.toShippedFiles(32),
  });
  expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toMatchObject({
    ...config,
    architectures: [name],
  });

  const text = 'the capital of a country';
  const ids = tokenizer.encode(text, 32);
  const { logits } = await runGraph(model, {
    input_ids: int64(Array.from(ids), [1, ids.length]),
    attention_mask: int64(new Array(ids.length).fill(1), [1, ids.length]),
  });
  const classify = await pipeline('text-classification', folder, { dtype: 'fp32', local_files_only: true });
  expect(classify.model.constructor.name).toBe(name);
  const answers = (await classify(text, { top_k: 3 })) as { label: string; score: number }[];
  await classify.dispose();
  const scores = ['a', 'b', 'c'].map((label) => answers.find((one) => one.label === label)?.score);
  const expected = softmax(Array.from(logits?.data as Float32Array)) as number[];
  expect(scores).toEqual(expected.map((value) => expect.closeTo(value, 5)));
});

test('where transformers.js has no class of an architecture, that of DistilBERT runs the model', () => {
  const { graph } = buildStudent({
    backbone: backboneFor('text-conv', 'text'),
    options: backboneFor('text-conv', 'text').options.parse({ width: 4 }),
    inputs: { vocabularySize: 5, maxLength: 4 },
    heads: [],
    random: randomStream(1, 'student'),
  });
  for (const [kind, end] of [
    ['text-conv', 'ForSequenceClassification'],
    ['albert', 'ForTokenClassification'],
  ] as const)
    expect(textArchitecture(kind, graph, end)).toEqual({
      model_type: 'distilbert',
      architectures: [`DistilBert${end}`],
    });
});
