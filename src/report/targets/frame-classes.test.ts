import { expect, it } from 'vitest';
import { float32, tensor } from '../../onnx/tensor.ts';
import { openHead } from '../../targets/head.ts';
import { findTarget } from '../../targets/index.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { frameClassesSection, stretches } from './frame-classes.ts';

const names = ['silence', 'speech'];

it('tells where each class is', () => {
  expect(stretches([0, 1, 1, 0, 1], names)).toBe('speech 2-3, 5');
  expect(stretches([0, 0], names)).toBe('silence in all of 2');
});

it('counts the frames of each class, and shows clips with what is true and what is said', () => {
  const target = findTarget('frame-classes') as AnyTarget;
  const space = { names, frames: 3 };
  const head = openHead({ output: 'logits', target, options: {}, space, labels: 'labels' });
  const collector = frameClassesSection({
    ...{ head, seed: 1, examples: true, unit: 'clips', isOnly: true, thresholds: new Map() },
  });
  const batch = {
    ...{ rows: 1, filled: 1, keys: new Uint8Array(32), ordinals: new Uint32Array([7]), sizes: { batch: 1 } },
    columns: { labels: tensor('int32', [1, 3], Int32Array.of(0, 1, -1)) },
  };
  const answers = float32([1, 0, 0, 1, 0, 1], [1, 3, 2]);
  const wrong = float32([0, 1, 0, 1, 0, 1], [1, 3, 2]);
  collector.add(
    new Map([
      ['teacher' as const, answers],
      ['student' as const, wrong],
    ]),
    batch,
    (ordinal) => ({
      text: `clip ${ordinal}`,
    }),
  );
  const [table, clips] = collector.section();
  expect(table).toMatchObject({
    rows: [
      ['silence', 1, 1, 0],
      ['speech', 1, 1, 2 / 3],
    ],
  });
  expect(clips).toMatchObject({
    samples: [
      {
        text: 'clip 7',
        said: [
          { who: 'truth', words: 'speech 2' },
          { who: 'teacher', words: 'speech 2-3' },
          { who: 'student', words: 'speech 1-3' },
        ],
      },
    ],
  });
});
