import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from '@huggingface/transformers';
import { expect, test } from 'vitest';
import { useLiteTokenizer } from '../data/modalities/text/tokenizer/use-lite-tokenizer.ts';
import { temporaryFolders } from '../data/testing/temporary-folder.ts';
import { createNodeEngine } from '../engine/node.ts';
import { toEvaluationForm } from '../onnx/passes/to-evaluation-form.ts';
import { int64 } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';
import { randomStream } from '../random.ts';
import { buildStudent } from '../students/build-student.ts';
import { backboneFor } from '../students/index.ts';
import { embedding } from '../targets/embedding.ts';
import { openHead } from '../targets/index.ts';
import type { AnyTarget } from '../targets/target.ts';
import { writeSentenceEmbedder } from './sentence-embedder.ts';

const newFolder = temporaryFolders();
const WIDTH = 12;
const TEXTS = [
  'a domesticated animal',
  'the capital of France; it has a river, and more words than the others',
  'naïve — “quotes”',
];

test.each(['static-embedding', 'text-attention', 'text-ngrams'])(
  'transformers.js gives the vectors of %s, whatever it pools by',
  async (kind) => {
    const folder = join(await newFolder(), 'student');
    const tokenizer = await useLiteTokenizer();
    const backbone = backboneFor(kind, 'text');
    const student = buildStudent({
      backbone,
      options: backbone.options.parse({ width: 8 }),
      inputs: { vocabularySize: tokenizer.vocabularySize, maxLength: 32, trainingTexts: [[11, 12], [13]] },
      heads: [
        openHead({
          output: 'embedding',
          target: embedding as unknown as AnyTarget,
          options: { normalize: true },
          space: { width: WIDTH },
          labels: 'knowledge/embedding',
        }),
      ],
      random: randomStream(1, 'student'),
    });
    const model = toEvaluationForm(student.graph);
    writeSentenceEmbedder(folder, {
      model,
      quantized: null,
      output: 'embedding',
      normalize: true,
      width: WIDTH,
      architecture: kind,
      vocabularySize: tokenizer.vocabularySize,
      padTokenId: tokenizer.padId,
      maxLength: 32,
      endIds: tokenizer.endIds,
      tokenizerFiles: tokenizer.toShippedFiles(32),
    });

    const session = await createNodeEngine().load(writeModel(model));
    const expected: number[][] = [];
    for (const text of TEXTS) {
      const ids = tokenizer.encode(text, 32);
      const { embedding: answer } = await session.run({
        input_ids: int64(Array.from(ids), [1, ids.length]),
        attention_mask: int64(new Array(ids.length).fill(1), [1, ids.length]),
      });
      expected.push(Array.from(answer.data as Float32Array));
    }
    await session.release();
    const extract = await pipeline('feature-extraction', folder, { dtype: 'fp32', local_files_only: true });
    for (const pooling of ['mean', 'cls', 'last_token'] as const) {
      const vectors = (await extract(TEXTS, { pooling, normalize: true })).tolist() as number[][];
      expect(vectors).toEqual(expected.map((row) => row.map((value) => expect.closeTo(value, 5))));
    }
    await extract.dispose();
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    expect(read('modules.json').map(({ path }: { path: string }) => path)).toEqual([
      '',
      '1_Pooling',
      '2_Normalize',
    ]);
    expect(read('1_Pooling/config.json')).toMatchObject({
      word_embedding_dimension: WIDTH,
      pooling_mode_mean_tokens: true,
    });
  },
);
