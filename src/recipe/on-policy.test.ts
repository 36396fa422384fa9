import { expect, it } from 'vitest';
import { onPolicyProblems } from './on-policy.ts';

const training = { dynamics: false, curriculum: { kind: 'none' }, onPolicy: { promptTokens: 8 } };
const recipe = {
  outputs: { logits: { target: 'next-tokens', field: 'text' } },
  teacher: { kind: 'onnx' },
  objective: [{ kind: 'tokenDivergence', weight: 1 }] as never,
  weighting: { kind: 'fixed' },
  stages: false,
  data: { maxLength: 64 },
  training,
};
const told = (more: object) =>
  onPolicyProblems({ ...recipe, ...more }).map(({ path, message }) => `${path.join('.')}: ${message}`);

it('asks for a language model, a teacher that judges, and a loss towards it', () => {
  expect(told({})).toEqual([]);
  expect(told({ training: { ...training, onPolicy: undefined }, teacher: undefined })).toEqual([]);
  expect(told({ teacher: undefined })).toEqual([
    'training.onPolicy: there is no teacher: name one (teacher)',
  ]);
  expect(told({ teacher: { kind: 'chat' } })).toEqual([expect.stringContaining('asked somewhere else')]);
  expect(told({ objective: [{ kind: 'tokenLabels', weight: 1 }] })).toEqual([
    expect.stringContaining('weigh one of nextTokenKd, tokenDivergence'),
  ]);
});

it('refuses what follows samples of the data', () => {
  for (const more of [
    { weighting: { kind: 'dynamic' } },
    { training: { ...training, dynamics: {} } },
    { training: { ...training, curriculum: { kind: 'teacher-confidence' } } },
    { continual: {} },
  ])
    expect(told(more)).toHaveLength(1);
});
