import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Split } from '../../data/split.ts';
import type { LabelEncoding } from '../../knowledge/label-encoding.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { KnowledgeStore } from '../../knowledge/store.ts';
import { type AnswerDims, dimsAt, hasLength } from '../../knowledge/true-length.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { join } from '../../platform/paths.ts';
import { randomStream } from '../../random.ts';
import { splitBatches } from '../batches/sample-batches.ts';

/**
 * Runs `body` with a space that has an answer for every sample of `splits`: random ones from 0 to 1, in a store of its own, so
 * that training steps can be timed as they will be, before the teacher has said anything.
 */
export async function withScratchKnowledge<T>(
  scratch: string,
  splits: readonly Split[],
  knowledge: { readonly tap: string; readonly dims: AnswerDims; readonly encoding: LabelEncoding },
  body: (space: LabelSpace) => Promise<T>,
): Promise<T> {
  const store = await KnowledgeStore.open(join(scratch, `store-${knowledge.tap}`));
  try {
    return await body(await scratchSpace(store, splits, knowledge));
  } finally {
    await store.close();
  }
}

/** The same for several taps. */
export async function withScratchTaps<T>(
  scratch: string,
  splits: readonly Split[],
  dims: ReadonlyMap<string, AnswerDims>,
  body: (spaces: ReadonlyMap<string, LabelSpace>) => Promise<T>,
): Promise<T> {
  const store = await KnowledgeStore.open(join(scratch, 'store-taps'));
  try {
    const spaces = new Map<string, LabelSpace>();
    for (const [tap, shape] of dims)
      spaces.set(tap, await scratchSpace(store, splits, { tap, dims: shape, encoding: 'float16' }));
    return await body(spaces);
  } finally {
    await store.close();
  }
}

async function scratchSpace(
  store: KnowledgeStore,
  splits: readonly Split[],
  knowledge: { readonly tap: string; readonly dims: AnswerDims; readonly encoding: LabelEncoding },
): Promise<LabelSpace> {
  const space = await store.space({
    ...knowledge,
    title: 'a plan',
    teacher: 'none',
    preprocessing: 'none',
  });
  // Not below 0: some taps hold probabilities, and a loss that takes their logarithm stops at a NaN.
  const { uniform } = randomStream(1, 'plan');
  const answer = (length: number) =>
    Float32Array.from({ length: elementCount(dimsAt(knowledge.dims, length)) }, uniform);
  for (const split of splits) {
    for (const batch of splitBatches(split, 256)) {
      const { keys, filled } = batch;
      const spans = hasLength(knowledge.dims) ? tokenSpans(batch) : undefined;
      if (spans)
        await space.put(
          keys,
          Array.from(spans.lengths, (length) => ({ length, values: answer(length) })),
        );
      else
        await space.put(
          keys,
          Float32Array.from({ length: filled * elementCount(dimsAt(knowledge.dims, 0)) }, uniform),
        );
    }
  }
  return space;
}
