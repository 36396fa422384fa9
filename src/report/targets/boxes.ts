import { columnOf, rowOf } from '../../metrics/output-rows.ts';
import { type BoxSpace, foundBoxes, trueBoxes } from '../../targets/box-grid.ts';
import { boxListColumn } from '../../targets/boxes-truth.ts';
import { DrawnSamples } from './drawn-samples.ts';
import type { Said, SectionCollector, SectionContext } from './section.ts';

/** Of a model without a threshold of its own, boxes below this score are not drawn. */
const SHOWN_SCORE = 0.3;

/** Images with the boxes that are true, and those that each model found. */
export function boxesSection({ head, seed, examples, thresholds }: SectionContext): SectionCollector {
  const space = head.space as BoxSpace;
  const drawn = new DrawnSamples(seed, examples);
  return {
    add(answers, batch, example) {
      const truths = columnOf(batch.columns, boxListColumn(head.labels));
      for (let row = 0; row < batch.filled; row++) {
        const truth = trueBoxes(rowOf(truths, row) as Float32Array);
        if (!truth) continue;
        drawn.offer(() => ({
          ...example(batch.ordinals[row] as number),
          said: [
            { who: 'truth', boxes: truth.map(shown) },
            ...[...answers].map(
              ([who, answer]): Said => ({
                who,
                boxes: foundBoxes(rowOf(answer, row) as Float32Array, space)
                  .filter(({ score }) => score >= (thresholds.get(who)?.[0] ?? SHOWN_SCORE))
                  .map(shown),
              }),
            ),
          ],
        }));
      }
    },
    section: () => [
      {
        block: 'samples',
        title: 'Images with their boxes',
        about: 'Drawn at random; boxes from the score on that has the best F1 on the validation split.',
        samples: drawn.samples,
      },
    ],
  };

  function shown({ class: kind, box }: { class: number; box: readonly [number, number, number, number] }) {
    return { label: space.names[kind] as string, box: [...box] as [number, number, number, number] };
  }
}
