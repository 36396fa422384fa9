import { expect, it } from 'vitest';
import { tensor } from '../../onnx/tensor.ts';
import { findTarget } from '../../targets/index.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { ConstantAnswers } from './constant-answers.ts';

const NONE = Number.NaN;

/** What is found of answers to ten samples: `answer` of each, and other ones for the third. */
function found(kind: string, space: unknown, answer: number[], third: number[] = answer): string | undefined {
  const answers = new ConstantAnswers({ target: findTarget(kind) as AnyTarget, space });
  const rows = Array.from({ length: 10 }, (_, i) => (i === 2 ? third : answer));
  answers.add(tensor('float32', [10, answer.length], Float32Array.from(rows.flat())), 10);
  return answers.found();
}

const names = ['ham', 'spam'];
const BOXES = { names: ['cat'], rows: 2, columns: 2, most: 1 };
const FLAT = [...new Array<number>(16).fill(0), -5, -5, -5, -5];
const WITH_CAT = [...FLAT.slice(0, 16), -5, 3, -5, -5];
const WITH_WEAK = [...FLAT.slice(0, 16), -5, -4, -5, -6];

it.each([
  // One class, however sure of it.
  ['class', { names }, [0, 2], [0, 3], "the class 'spam'"],
  ['class', { names }, [0, 2], [3, 2], undefined],
  ['classes', { names }, [-1, -2], [-3, -2], 'none of the classes'],
  ['classes', { names }, [-1, 2], [-1, 3], "the classes 'spam'"],
  ['classes', { names }, [-1, 2], [1, 2], undefined],
  ['number', {}, [2.5], [2.5], 'the number 2.5'],
  ['number', {}, [2.5], [2.5001], undefined],
  // float16 keeps so many digits of it.
  ['embedding', { width: 2 }, [0.5, -0.25], [0.5001, -0.25], 'the same numbers'],
  ['embedding', { width: 2 }, [0.5, -0.25], [0.51, -0.25], undefined],
  ['pairs', { width: 4 }, [1, 2, 3, 4], [1, 2, 4, 3], 'the same numbers for the text'],
  // An image that is missing.
  ['pairs', { width: 4 }, [1, 2, 3, 4], [2, 1, 0, 0], 'the same numbers for the image'],
  ['token-classes', { kinds: ['A'] }, [2, 0, 0, 3, 1, 0], [1, 0, 0, 0, 0, 0], 'no spans'],
  ['token-classes', { kinds: ['A'] }, [2, 0, 0, 3, 1, 0], [0, 1, 0, 3, 1, 0], undefined],
  ['frame-classes', { names, frames: 2 }, [0, 1, 2, 3], [0, 5, 0, 3], "'spam' in every frame"],
  ['frame-classes', { names, frames: 2 }, [0, 1, 2, 3], [1, 0, 2, 3], undefined],
  ['boxes', BOXES, FLAT, WITH_WEAK, 'no boxes'],
  ['boxes', BOXES, FLAT, WITH_CAT, undefined],
] as const)('%s of %o: %o, once %o: %s', (kind, space, answer, third, said) => {
  expect(found(kind, space, [...answer], [...third])).toBe(said);
});

it('counts what was answered, and says nothing of a few', () => {
  const answers = new ConstantAnswers({ target: findTarget('class') as AnyTarget, space: { names } });
  answers.add(
    tensor('float32', [8, 2], Float32Array.from([0, 1, NONE, NONE, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1])),
    8,
  );
  expect([answers.samples, answers.found()]).toEqual([7, undefined]);
  answers.add(tensor('float32', [2, 2], Float32Array.from([0, 1, 5, 1])), 1);
  expect([answers.samples, answers.found()]).toEqual([8, "the class 'spam'"]);
});
