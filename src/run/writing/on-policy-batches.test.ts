import { expect, it } from 'vitest';
import { ATTENTION_MASK, INPUT_IDS, LABELS } from '../../data/columns.ts';
import { tensor } from '../../onnx/tensor.ts';
import type { LearningStudent } from '../../train/batch-source.ts';
import { OnPolicyBatches, type OnPolicySetting } from './on-policy-batches.ts';

it('says once that nothing is written, where documents are too short to be begun', async () => {
  const warnings: string[] = [];
  const documents = {
    variant: '3',
    rows: 2,
    feeds: {
      [INPUT_IDS]: tensor('int64', [2, 3], BigInt64Array.of(5n, 6n, 7n, 5n, 6n, 0n)),
      [ATTENTION_MASK]: tensor('int64', [2, 3], BigInt64Array.of(1n, 1n, 1n, 1n, 1n, 0n)),
      [LABELS]: tensor('int32', [2, 3], Int32Array.of(6, 7, -1, 6, -1, -1)),
    },
  };
  const batchesOf = (promptTokens: number) =>
    new OnPolicyBatches({
      options: { share: 1, replay: 0, kept: 2, promptTokens },
      batches: { batchesPerEpoch: 4, batch: async () => documents },
      engine: { load: () => Promise.reject(new Error('a writer is opened')) },
      labels: LABELS,
      endIds: [],
      seed: 1,
      firstStep: 0,
      warn: (message: string) => warnings.push(message),
    } as unknown as OnPolicySetting);
  const student = {} as LearningStudent;
  const batches = batchesOf(3);
  for (const index of [0, 1]) expect(await batches.batch({ epoch: 0, index }, student)).toBe(documents);
  expect(warnings).toEqual([
    expect.stringMatching(/no more than 3 tokens.*training\.onPolicy\.promptTokens$/),
  ]);
  // Of longer documents a text is written.
  await expect(batchesOf(2).batch({ epoch: 0, index: 0 }, student)).rejects.toThrow();
  expect(warnings).toHaveLength(1);
});
