import { isFloat } from '../../onnx/data-type.ts';
import { type Graph, intAttribute, intsAttribute, type TypedValue, type Value } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { buildScan, type ScanStep } from '../../onnx/scan.ts';
import { copyBody } from '../../onnx/scan-body.ts';
import { expandLike } from '../broadcast.ts';
import { type GradientCall, type GradientRule, UnsupportedGradient } from '../rule.ts';

interface Parts {
  readonly body: Graph;
  readonly states: readonly TypedValue[];
  readonly scanned: readonly TypedValue[];
  /** What the body reads of the graph around it. */
  readonly captured: readonly TypedValue[];
  readonly reverse: (index: number) => boolean;
  readonly reverseOutput: (index: number) => boolean;
}

function partsOf({ node, inputs }: GradientCall): Parts {
  const body = node.attributes.get('body');
  if (body?.kind !== 'graph') throw new UnsupportedGradient('it has no body');
  const count = intAttribute(node, 'num_scan_inputs', 0);
  const given = inputs.slice(0, node.inputs.length) as TypedValue[];
  const directions = intsAttribute(node, 'scan_input_directions');
  const outputs = intsAttribute(node, 'scan_output_directions');
  return {
    body: body.value,
    states: given.slice(0, given.length - count),
    scanned: given.slice(given.length - count),
    captured: inputs.slice(node.inputs.length) as TypedValue[],
    reverse: (index) => directions?.[index] === 1,
    reverseOutput: (index) => outputs?.[index] === 1,
  };
}

const zerosLike = (g: GraphBuilder, value: TypedValue) => expandLike(g, g.scalar(0, value.type), value);

/**
 * Backpropagation through time: the states before every step are recomputed, then a Scan from the last row to the first
 * runs the body's own gradient. Rules emit ordinary operators, so that the body of the gradient may be differentiated.
 */
const scan: GradientRule = (call) => {
  const { g } = call;
  const { body, states, scanned, captured, reverse, reverseOutput } = partsOf(call);
  const [n, k] = [states.length, scanned.length];
  const run = (
    step: ScanStep,
    at: readonly TypedValue[],
    rows: readonly TypedValue[],
    stands: Map<Value, TypedValue>,
  ) => {
    const outputs = copyBody(
      step.g,
      body,
      [...at, ...rows],
      (value) => stands.get(value) ?? step.capture(value as TypedValue),
    );
    if (!outputs) throw new UnsupportedGradient('types in its body are not known');
    return outputs;
  };

  const history =
    n === 0
      ? []
      : buildScan(
          g,
          { states, scanned: scanned.map((value, i) => ({ value, reverse: reverse(i) })) },
          (step) => ({
            states: run(step, step.states, step.rows, new Map()).slice(0, n),
            outputs: step.states,
          }),
        ).outputs;

  const floatStates = states.flatMap((state, i) => (isFloat(state.type) ? [i] : []));
  const wantedRows = scanned.flatMap((_, i) => (call.needs(n + i) ? [i] : []));
  const wantedCaptured = captured.flatMap((_, i) => (call.needs(n + k + i) ? [i] : []));
  const arriving = call.outputGradients
    .slice(n)
    .flatMap((gradient, i) => (gradient ? [{ gradient, i }] : []));

  const result = buildScan(
    g,
    {
      states: [
        ...floatStates.map((i) => call.outputGradients[i] ?? zerosLike(g, states[i] as TypedValue)),
        ...wantedCaptured.map((i) => zerosLike(g, captured[i] as TypedValue)),
      ],
      scanned: [
        ...history.map((value) => ({ value, reverse: true })),
        ...scanned.map((value, i) => ({ value, reverse: !reverse(i) })),
        ...arriving.map(({ gradient, i }) => ({ value: gradient, reverse: !reverseOutput(i) })),
      ],
      reverseOutputs: wantedRows.map((i) => !reverse(i)),
    },
    (step) => {
      const { g: b, rows } = step;
      const [before, row, dRows] = [rows.slice(0, n), rows.slice(n, n + k), rows.slice(n + k)];
      const dStates = step.states.slice(0, floatStates.length);
      const sums = step.states.slice(floatStates.length);
      const stands = new Map<Value, TypedValue>(
        wantedCaptured.map((i) => [
          captured[i] as Value,
          b.identity(step.capture(captured[i] as TypedValue)),
        ]),
      );
      const outputs = run(step, before, row, stands);
      const products = [
        ...floatStates.map((i, at) => [outputs[i], dStates[at]] as const),
        ...arriving.map(({ i }, at) => [outputs[n + i], dRows[at]] as const),
      ].map(([value, slope]) =>
        b.reduceSum(b.mul(value as TypedValue, slope as TypedValue), { keepDims: false }),
      );
      const loss = products.length === 1 ? (products[0] as TypedValue) : b.op('Sum', products);
      const wrt = [
        ...floatStates.map((i) => before[i]),
        ...wantedRows.map((i) => row[i]),
        ...wantedCaptured.map((i) => stands.get(captured[i] as Value)),
      ] as TypedValue[];
      const found = call
        .gradientsIn(b, loss, wrt)
        .map((gradient, i) => gradient ?? zerosLike(b, wrt[i] as TypedValue));
      const [s, r] = [floatStates.length, wantedRows.length];
      return {
        states: [
          ...found.slice(0, s),
          ...found.slice(s + r).map((slope, i) => b.add(sums[i] as TypedValue, slope)),
        ],
        outputs: found.slice(s, s + r),
      };
    },
  );

  const results: (TypedValue | null)[] = call.inputs.map(() => null);
  floatStates.forEach((i, at) => {
    if (call.needs(i)) results[i] = result.states[at] ?? null;
  });
  wantedRows.forEach((i, at) => {
    results[n + i] = result.outputs[at] ?? null;
  });
  wantedCaptured.forEach((i, at) => {
    results[n + k + i] = result.states[floatStates.length + at] ?? null;
  });
  return results;
};

export const SCAN_RULES: Record<string, GradientRule> = { Scan: scan };
