import { type Tensor, tensor } from '../../onnx/tensor.ts';
import type { Head } from '../../targets/head.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';
import type { TrainingBatch } from '../../train/batch-source.ts';
import type { TrainingData } from '../context/task.ts';

/** Batches of pairs whose losses about `text_embeds` or `image_embeds` find what the teacher said of each. */
export function withTowers(heads: readonly Head[], data: TrainingData): TrainingData {
  if (!heads.some(isPairs)) return data;
  const { batches } = data;
  return {
    ...data,
    batches: {
      batchesPerEpoch: batches.batchesPerEpoch,
      ...(batches.ahead && { ahead: true }),
      batch: async (place, student) => withTowerKnowledge(heads, await batches.batch(place, student)),
    },
  };
}

/**
 * What a teacher said of pairs, once more for each tower: losses about `text_embeds` or `image_embeds` read the half of the
 * answer that is theirs.
 */
export function withTowerKnowledge(heads: readonly Head[], batch: TrainingBatch): TrainingBatch {
  const said = heads.filter(isPairs).flatMap(({ output }) => batch.feeds[`knowledge/${output}`] ?? []);
  const [both] = said;
  if (!both) return batch;
  const towers = {
    [`knowledge/${TEXT_EMBEDS}`]: half(both, 0),
    [`knowledge/${IMAGE_EMBEDS}`]: half(both, 1),
  };
  return { ...batch, feeds: { ...batch.feeds, ...towers } };
}

function isPairs({ target }: Head): boolean {
  return target.kind === 'pairs';
}

/** The first or the second half of each row. */
function half({ dims, data }: Tensor, which: 0 | 1): Tensor {
  const [rows, both] = dims as [number, number];
  const width = both / 2;
  const part = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const from = row * both + which * width;
    part.set((data as Float32Array).subarray(from, from + width), row * width);
  }
  return tensor('float32', [rows, width], part);
}
