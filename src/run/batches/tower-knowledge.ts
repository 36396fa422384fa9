import { type Tensor, tensor } from '../../onnx/tensor.ts';
import type { Head } from '../../targets/head.ts';
import { IMAGE_EMBEDS, TEXT_EMBEDS } from '../../targets/pair-embeds.ts';
import type { TrainingData } from '../context/task.ts';

/**
 * What a teacher said of pairs, once more for each tower: losses about `text_embeds` or `image_embeds` read the half of the
 * answer that is theirs.
 */
export function withTowers(heads: readonly Head[], data: TrainingData): TrainingData {
  const names = heads
    .filter(({ target }) => target.kind === 'pairs')
    .map(({ output }) => `knowledge/${output}`);
  if (names.length === 0) return data;
  const { batches } = data;
  return {
    ...data,
    batches: {
      batchesPerEpoch: batches.batchesPerEpoch,
      async batch(place, student) {
        const batch = await batches.batch(place, student);
        const towers = names.flatMap((name) => {
          const said = batch.feeds[name];
          return said
            ? [
                [`knowledge/${TEXT_EMBEDS}`, half(said, 0)],
                [`knowledge/${IMAGE_EMBEDS}`, half(said, 1)],
              ]
            : [];
        });
        return { ...batch, feeds: { ...batch.feeds, ...Object.fromEntries(towers as [string, Tensor][]) } };
      },
    },
  };
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
