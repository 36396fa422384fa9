import { columnOf, rowOf } from '../../metrics/output-rows.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import { classesOf } from '../../targets/head.ts';
import { type ClassCounts, CountsByClass } from './counts-by-class.ts';
import { DrawnSamples } from './drawn-samples.ts';
import type { Said, SectionCollector, SectionContext } from './section.ts';

/** Class by class: F1 of each model over all frames; and clips with where each class begins and ends. */
export function frameClassesSection({ head, seed, examples }: SectionContext): SectionCollector {
  const names = classesOf(head);
  const counts = new CountsByClass(names);
  const drawn = new DrawnSamples(seed, examples);
  return {
    add(answers, batch, example) {
      const truths = columnOf(batch.columns, head.labels);
      for (let row = 0; row < batch.filled; row++) {
        const truth = rowOf(truths, row) as Int32Array;
        if (truth.every((one) => one < 0)) continue;
        const said = [...answers].map(([who, answer]) => [who, likeliest(answer, row)] as const);
        for (const [who, found] of said) count(counts.of(who), truth, found);
        drawn.offer(() => ({
          ...example(batch.ordinals[row] as number),
          said: [
            { who: 'truth', words: stretches(truth, names) },
            ...said.map(([who, found]): Said => ({ who, words: stretches(found, names) })),
          ],
        }));
      }
    },
    section: () => [
      counts.table('Class by class', 'F1 of the frames of each class, over all test clips.', [
        'Class',
        'frames',
      ]),
      {
        block: 'samples',
        title: 'Some of the clips',
        about: `Drawn at random; frames that are not '${names[0]}', counted from 1.`,
        samples: drawn.samples,
      },
    ],
  };
}

function count(all: readonly ClassCounts[], truth: Int32Array, found: readonly number[]): void {
  for (const [frame, own] of truth.entries()) {
    if (own < 0) continue;
    const called = found[frame] as number;
    (all[own] as ClassCounts).present++;
    (all[called] as ClassCounts).called++;
    if (called === own) (all[own] as ClassCounts).right++;
  }
}

/** The likeliest class of each frame. */
function likeliest({ data, dims }: Tensor, row: number): number[] {
  const [, frames, classes] = dims as [number, number, number];
  return Array.from({ length: frames }, (_, frame) => {
    const from = (row * frames + frame) * classes;
    const own = (data as Float32Array).subarray(from, from + classes);
    return own.indexOf(Math.max(...own));
  });
}

/** `speech 4-21, 30-64`: where each class but the first is, and for how many frames nobody knows. */
export function stretches(classes: ArrayLike<number>, names: readonly string[]): string {
  const found = new Map<number, string[]>();
  let from = 0;
  for (let frame = 1; frame <= classes.length; frame++) {
    const own = classes[from] as number;
    if (frame < classes.length && classes[frame] === own) continue;
    if (own > 0)
      found.set(own, [...(found.get(own) ?? []), from + 1 === frame ? `${frame}` : `${from + 1}-${frame}`]);
    from = frame;
  }
  if (found.size === 0) return `${names[0]} in all of ${classes.length}`;
  return [...found].map(([own, all]) => `${names[own]} ${all.join(', ')}`).join('; ');
}
