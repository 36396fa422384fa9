import { expect, it } from 'vitest';
import { writtenProblems } from './written.ts';

const written = { promptTokens: 8, alone: false };
const recipe = {
  outputs: { logits: { target: 'next-tokens', field: 'text' } },
  teacher: { kind: 'onnx' },
  data: { maxLength: 64, written },
  training: { dynamics: false, curriculum: { kind: 'none' } },
};
const told = (more: object) =>
  writtenProblems({ ...recipe, ...more }).map(({ path, message }) => `${path.join('.')}: ${message}`);

it('asks for a language model with a teacher that can write', () => {
  expect(told({})).toEqual([]);
  expect(told({ data: { maxLength: 64 }, teacher: undefined })).toEqual([]);
  expect(told({ outputs: { logits: { target: 'class', field: 'label' } } })).toEqual([
    expect.stringMatching(/^data\.written: texts are written by language models alone/),
  ]);
  expect(told({ teacher: undefined })).toEqual([
    expect.stringMatching(/^data\.written: there is no teacher/),
  ]);
  for (const [teacher, problem] of [
    [{ kind: 'chat' }, /is asked somewhere else/],
    [{ kind: 'several' }, /several teachers do not write one text/],
    [{ kind: 'onnx', memory: '1 GB' }, /teacher\.memory/],
  ] as const)
    expect(told({ teacher })).toEqual([expect.stringMatching(problem)]);
});

it('asks for room behind beginnings, and for documents where these are followed', () => {
  expect(told({ data: { maxLength: 64, written: { ...written, promptTokens: 64 } } })).toEqual([
    expect.stringMatching(/^data\.written\.promptTokens: beginnings of 64 tokens leave no room/),
  ]);
  const training = { dynamics: {}, curriculum: { kind: 'none' } };
  expect(told({ training })).toEqual([]);
  expect(told({ training, data: { maxLength: 64, written: { ...written, alone: true } } })).toEqual([
    expect.stringMatching(/^data\.written\.alone: training\.dynamics is about the documents/),
  ]);
});
