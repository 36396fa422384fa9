import type { TypedValue } from '../../../onnx/graph.ts';
import { buildScan } from '../../../onnx/scan.ts';
import { type Build, type GradientCase, named, x } from './case.ts';

/** h' = tanh(h w + row), with h times its row as output; w is read from the graph around. */
const recurrence =
  (reverse: boolean): Build =>
  (g, [state, rows, weights]) => {
    const { states, outputs } = buildScan(
      g,
      {
        states: [state as TypedValue],
        scanned: [{ value: rows as TypedValue, reverse }],
        reverseOutputs: [reverse],
      },
      ({ g: b, states: [h], rows: [row], capture }) => {
        const product = b.matMul(h as TypedValue, capture(weights as TypedValue));
        const next = b.tanh(b.add(product, row as TypedValue));
        return { states: [next], outputs: [b.mul(next, row as TypedValue)] };
      },
    );
    return [...states, ...outputs];
  };

const inputs = [x(2, 3), named([0], x(4, 2, 3)), named([], x(3, 3))];

export const LOOP_CASES: GradientCase[] = [
  ['Scan', 'from the first row', { inputs, build: recurrence(false) }],
  ['Scan', 'from the last row', { inputs, build: recurrence(true) }],
];
