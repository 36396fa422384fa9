import { join } from 'node:path';
import type { Split } from '../../data/split.ts';
import type { LabelEncoding } from '../../knowledge/label-encoding.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import { KnowledgeStore } from '../../knowledge/store.ts';
import { TapSpaces } from '../../knowledge/tap-spaces.ts';
import { elementCount } from '../../onnx/tensor.ts';
import { randomStream } from '../../random.ts';
import { splitBatches } from '../sample-batches.ts';
import { lengthOf } from './batch-counts.ts';

/**
 * Runs `body` with a space that has an answer for every sample of `splits`: random ones from 0 to 1, in a store of its own, so
 * that training steps can be timed as they will be, before the teacher has said anything.
 */
export async function withScratchKnowledge<T>(
  scratch: string,
  splits: readonly Split[],
  knowledge: { readonly tap: string; readonly dims: readonly number[]; readonly encoding: LabelEncoding },
  body: (space: LabelSpace) => Promise<T>,
): Promise<T> {
  const store = await KnowledgeStore.open(join(scratch, `store-${knowledge.tap}`));
  try {
    return await body(await scratchSpace(store, splits, knowledge));
  } finally {
    await store.close();
  }
}

/** The same for several taps, whose shapes depend on the length of the texts: a map of spaces for each split. */
export async function withScratchTaps<T>(
  scratch: string,
  splits: readonly Split[],
  dims: (length: number) => ReadonlyMap<string, readonly number[]>,
  body: (spacesOf: ReadonlyMap<Split, ReadonlyMap<string, TapSpaces>>) => Promise<T>,
): Promise<T> {
  const store = await KnowledgeStore.open(join(scratch, 'store-taps'));
  try {
    const spacesOf = new Map<Split, Map<string, TapSpaces>>();
    for (const split of splits) {
      const spaces = new Map<string, TapSpaces>();
      for (const [tap, shape] of dims(lengthOf(split.buckets[0]!))) {
        const space = await scratchSpace(store, [split], { tap, dims: shape, encoding: 'float16' });
        spaces.set(tap, TapSpaces.of(space));
      }
      spacesOf.set(split, spaces);
    }
    return await body(spacesOf);
  } finally {
    await store.close();
  }
}

async function scratchSpace(
  store: KnowledgeStore,
  splits: readonly Split[],
  knowledge: { readonly tap: string; readonly dims: readonly number[]; readonly encoding: LabelEncoding },
): Promise<LabelSpace> {
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
      // Not below 0: some taps hold probabilities, and a loss that takes their logarithm stops at a NaN.
      await space.put(keys, Float32Array.from({ length: filled * elements }, random.uniform));
    }
  }
  return space;
}
