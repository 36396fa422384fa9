import { join } from 'node:path';
import type { TokenSplit } from '../../data/token-split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { LabelEncoding } from '../../knowledge/record.ts';
import { KnowledgeStore } from '../../knowledge/store.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { splitBatches } from '../sample-batches.ts';

/**
 * Runs `body` with a space that has an answer for every sample of `splits`: random ones, in a store of its own, so
 * that training steps can be timed as they will be, before the teacher has said anything.
 */
export async function withScratchKnowledge<T>(
  scratch: string,
  splits: readonly TokenSplit[],
  knowledge: { readonly tap: string; readonly dims: readonly number[]; readonly encoding: LabelEncoding },
  body: (space: LabelSpace) => Promise<T>,
): Promise<T> {
  const store = await KnowledgeStore.open(join(scratch, `store-${knowledge.tap}`));
  try {
    const space = await store.space({
      ...knowledge,
      title: 'a plan',
      teacher: 'none',
      preprocessing: 'none',
    });
    const random = randomStream(1, 'plan');
    const elements = elementCount(knowledge.dims);
    for (const split of splits) {
      for (const { keys, filled } of splitBatches(split, 256)) {
        await space.put(keys, Float32Array.from({ length: filled * elements }, random.normal));
      }
    }
    return await body(space);
  } finally {
    await store.close();
  }
}
