import { expect, it } from 'vitest';
import { languageModelProblems } from './language-model-problems.ts';
import { meaningProblems } from './meaning.ts';

const recipe = {
  outputs: { next: { target: 'next-tokens', field: 'text' } },
  objective: [{ kind: 'nextTokenKd', weight: 1 }],
  weighting: { kind: 'fixed' },
  teacher: { kind: 'onnx' },
  training: { dynamics: false, curriculum: { kind: 'none' } },
  export: { fp16: false },
};
const keysOf = (more: object) =>
  languageModelProblems({ ...recipe, ...more }).map(({ path }) => path.join('.'));

it('refuses what reads whole answers where some tokens of them are kept', () => {
  const asking = {
    weighting: { kind: 'dynamic' },
    training: { dynamics: {}, curriculum: { kind: 'teacher-confidence' } },
    objective: [
      { kind: 'nextTokenKd', weight: 1 },
      { kind: 'attribution', weight: 1 },
    ],
  };
  expect(keysOf({})).toEqual([]);
  expect(keysOf(asking)).toEqual([
    'weighting.kind',
    'training.dynamics',
    'training.curriculum',
    'objective.1',
  ]);
  expect(keysOf({ ...asking, teacher: undefined })).toEqual([]);
  expect(languageModelProblems({ ...recipe, ...asking })[0]?.message).toContain('outputs.next.keep: all');
  expect(
    keysOf({ ...asking, outputs: { next: { target: 'next-tokens', field: 'text', keep: 'all' } } }),
  ).toEqual([]);
  expect(keysOf({ ...asking, outputs: { logits: { target: 'class', field: 'label' } } })).toEqual([]);
});

it('refuses a divergence of distributions of which some tokens are kept', () => {
  const objective = { tokenDivergence: { weight: 1 } };
  expect(keysOf({ objective })).toEqual(['objective.tokenDivergence']);
  expect(keysOf({ objective: { tokenDivergence: { weight: 0 } } })).toEqual([]);
  const all = { next: { target: 'next-tokens', field: 'text', keep: 'all' } };
  expect(keysOf({ objective, outputs: all })).toEqual([]);
  const tags = { tags: { target: 'token-classes', field: 'tags' }, ...recipe.outputs };
  expect(keysOf({ objective, outputs: tags })).toEqual([]);
  expect(
    keysOf({ objective: [{ kind: 'tokenDivergence', weight: 1, output: 'next' }], outputs: tags }),
  ).toEqual(['objective.0']);
});

it('refuses float16 files of language models alone', () => {
  expect(keysOf({ export: { fp16: true } })).toEqual(['export.fp16']);
  expect(
    keysOf({ export: { fp16: true }, outputs: { logits: { target: 'class', field: 'label' } } }),
  ).toEqual([]);
});

it('refuses a student of any file, of which nobody knows that tokens see only those before; a cut asks its teacher', () => {
  const messagesOf = (kind: string) =>
    meaningProblems({
      ...recipe,
      student: { kind },
      task: 'text-generation',
      data: { source: {} },
      training: { ...recipe.training, dynamics: false },
      knowledge: { graph: false },
    } as never).map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect(messagesOf('onnx').join()).toMatch(
    /student.kind: .* which onnx has no features of; students that have: gpt2, llama, cut/,
  );
  for (const kind of ['cut', 'gpt2']) expect(messagesOf(kind)).toEqual([]);
});

it('wants what a loss compares to be kept, and the other way round', () => {
  const keeping = (keep: unknown, kind: string, more: object = {}) =>
    languageModelProblems({
      ...recipe,
      outputs: { next: { target: 'next-tokens', field: 'text', keep } },
      objective: [{ kind, weight: 1 }],
      ...more,
    });
  expect(keeping('spans', 'alignedLikelihoods')).toEqual([]);
  expect(keeping({ sorted: 8 }, 'uld')).toEqual([]);
  const problem = (keep: unknown, kind: string) => keeping(keep, kind)[0]?.message;
  expect(problem({ likeliest: 8 }, 'uld')).toContain('set outputs.next.keep: { sorted: 32 }');
  expect(problem('spans', 'uld')).toContain('{ sorted: 32 }');
  expect(problem({ sorted: 8 }, 'alignedLikelihoods')).toContain('set outputs.next.keep: spans');
  expect(problem('spans', 'nextTokenKd')).toContain('{ likeliest: 32 }');
  expect(problem({ sorted: 8 }, 'tokenDivergence')).toContain('keep: all');
  const others = keeping('spans', 'alignedLikelihoods', {
    inputs: { text: { conversations: true } },
    teacher: { kind: 'several', memory: '4GB' },
  });
  expect(others.map(({ path }) => path.join('.'))).toEqual([
    'inputs.text.conversations',
    'teacher.memory',
    'teacher.kind',
  ]);
});

it('refuses to soften or to bound what is kept in another form', () => {
  const outputs = (keep: unknown) => ({ next: { target: 'next-tokens', field: 'text', keep } });
  const soft = [{ kind: 'nextTokenKd', weight: 1, temperature: 2 }];
  const bounded = [{ kind: 'nextTokenKd', weight: 1, clip: 5 }];
  expect(keysOf({ objective: soft, outputs: outputs({ likeliest: 8 }) })).toEqual([
    'objective.0.temperature',
  ]);
  expect(keysOf({ objective: soft, outputs: outputs('all') })).toEqual([]);
  expect(keysOf({ objective: bounded, outputs: outputs({ sampled: 8 }) })).toEqual(['objective.0.clip']);
  expect(keysOf({ objective: bounded, outputs: outputs({ likeliest: 8 }) })).toEqual([]);
});
