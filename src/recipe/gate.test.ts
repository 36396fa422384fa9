import { expect, test } from 'vitest';
import { gatedRuntimes } from './gate.ts';
import { parseRecipe } from './parse.ts';

const recipe = (exported: string, more = '') =>
  parseRecipe(`
name: gated
data: { source: { kind: jsonl, path: data.jsonl } }
student: { kind: text-conv }
export: ${exported}
${more}
`);

test('the file that is bounded is the int8 one where there is one, unless it is said otherwise', () => {
  const gate = '{ webgpu: { file: f32, metric: 0.5 }, wasm: { p50: 5, threads: 2 } }';
  expect(gatedRuntimes(recipe(`{ gate: ${gate} }`))).toEqual([
    { on: 'wasm', file: 'int8', threads: 2, bounds: { p50: 5 } },
    { on: 'webgpu', file: 'f32', threads: 1, bounds: { metric: 0.5 } },
  ]);
  expect(gatedRuntimes(recipe('{ int8: false, gate: { node: { bytes: 9 } } }'))).toMatchObject([
    { file: 'f32' },
  ]);
  expect(gatedRuntimes(recipe('{ int8: false }'))).toEqual([]);
});

test.each([
  ['{ gate: {} }', '', /export.gate: bounds no runtime: name node, wasm or webgpu/],
  [
    '{ gate: { wasm: { threads: 2 } } }',
    '',
    /export.gate.wasm: bounds nothing: give p50, p90, bytes, metric/,
  ],
  [
    '{ int8: false, gate: { wasm: { file: int8, p50: 5 } } }',
    '',
    /export.gate.wasm.file: bounds a file that the recipe does not write: give export.int8/,
  ],
  ['{ gate: { wasm: { p95: 5 } } }', '', /export.gate.wasm.p95: unknown key/],
  ['{ gate: { wasn: { p50: 5 } } }', '', /export.gate.wasn: unknown key; did you mean 'wasm'/],
  ['{ gate: { wasm: { p50: -1 } } }', '', /export.gate.wasm.p50/],
  [
    '{ gate: { node: { p50: 5 } } }',
    'continual: { tasks: 2 }',
    /export.gate: a continual training has no gate/,
  ],
])('%s is refused with its place', (exported, more, problem) => {
  expect(() => recipe(exported, more)).toThrow(problem);
});
