import { expect, it } from 'vitest';
import { float32 } from '../../onnx/tensor.ts';
import type { Head } from '../../targets/head.ts';
import { pairsSection } from './pairs.ts';
import type { SectionContext } from './section.ts';

const context = (examples: boolean) =>
  ({
    head: { options: { width: 2 } } as unknown as Head,
    seed: 1,
    examples,
    unit: 'pairs',
    isOnly: true,
    thresholds: new Map(),
  }) as SectionContext;

// Texts at 0, 90 and 180 degrees; the images of the first two are theirs, that of the third is nearest to the second text.
const answers = float32([1, 0, 1, 0, 0, 1, 0, 1, -1, 0, -0.6, 0.8], [3, 4]);
const batch = { filled: 3, ordinals: Uint32Array.of(0, 1, 2) } as never;
const example = (ordinal: number) => ({ text: ['east', 'north', 'west'][ordinal] as string });

it('counts where the right one stands, both ways, and shows the nearest texts of images', () => {
  const collector = pairsSection(context(true));
  collector.add(new Map([['student', answers]]), batch, example);
  const [table, samples] = collector.section();
  expect(table).toMatchObject({
    block: 'table',
    rows: [
      ['student: images by texts', 1, 0, 0, 0],
      ['student: texts by images', 2 / 3, 1 / 3, 0, 0],
    ],
  });
  const said = samples?.block === 'samples' ? samples.samples.map((sample) => sample.said[0]?.words) : [];
  expect(said).toEqual(['east ✓ · north · west', 'north ✓ · east · west', 'north · west ✓ · east']);
});

it('shows no sample where none is to be shown', () => {
  const collector = pairsSection(context(false));
  collector.add(new Map([['student', answers]]), batch, example);
  expect(collector.section()[1]).toMatchObject({ samples: [] });
});
