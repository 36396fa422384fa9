import { subgraph } from './attributes.ts';
import { copyAttributes } from './copy-subgraph.ts';
import type { Graph, TypedValue, Value } from './graph.ts';
import { GraphBuilder } from './graph-builder.ts';

/** One step of a Scan, inside its body. */
export interface ScanStep {
  /** The builder of the body. */
  readonly g: GraphBuilder;
  readonly states: readonly TypedValue[];
  /** A row of each scanned value, without its first axis. */
  readonly rows: readonly TypedValue[];
  /** A value of the graph around, as it is read in here. */
  capture(value: TypedValue): TypedValue;
}

export interface Scanned {
  /** [T, ...] */
  readonly value: TypedValue;
  /** Whether its last row comes first. */
  readonly reverse?: boolean;
}

export interface ScanOptions {
  /** States before the first step. */
  readonly states: readonly TypedValue[];
  /** One at least. */
  readonly scanned: readonly Scanned[];
  /** Which of the outputs have their last row first. */
  readonly reverseOutputs?: readonly boolean[];
}

/** What the states are after a step, and a row of each output. */
export interface ScanResult {
  readonly states: readonly TypedValue[];
  readonly outputs: readonly TypedValue[];
}

/**
 * Emits a Scan: `body` is recorded once and runs for every row, so that a length that nobody knows costs no more than
 * one step. Returns the last states, and the outputs stacked along a new first axis.
 */
export function buildScan(
  g: GraphBuilder,
  { states, scanned, reverseOutputs }: ScanOptions,
  body: (step: ScanStep) => ScanResult,
): ScanResult {
  const b = new GraphBuilder(g.opset);
  const inner = [
    ...states.map(({ type, shape }, i) => b.input(`state_${i}`, type, shape)),
    ...scanned.map(({ value: { type, shape } }, i) => b.input(`row_${i}`, type, shape.slice(1))),
  ];
  const captured = new Map<TypedValue, TypedValue>();
  const result = body({
    g: b,
    states: inner.slice(0, states.length),
    rows: inner.slice(states.length),
    capture(value) {
      let stand = captured.get(value);
      if (!stand) {
        stand = b.input(`captured_${captured.size}`, value.type, value.shape);
        captured.set(value, stand);
      }
      return stand;
    },
  });
  // Outputs of a body are values of its own, each another one.
  const outputs = [...result.states, ...result.outputs].map((value) => b.identity(value));
  for (const output of outputs) b.output(output);
  const recorded = b.build('body');
  const outer = new Map<Value, Value>([...captured].map(([value, stand]) => [stand, value]));
  const graph: Graph = { ...recorded, inputs: inner };
  // The names of a subgraph have to differ from those around it.
  const prefix = g.nodeNameOf('Scan');
  const renamed = copyAttributes(
    new Map([['body', subgraph(graph)]]),
    outer,
    (name) => `${prefix}.body/${name}`,
  );
  g.useOperators(recorded.opsets);
  const found = g.node(
    'Scan',
    [...states, ...scanned.map(({ value }) => value)],
    {
      body: renamed.get('body')!,
      num_scan_inputs: scanned.length,
      scan_input_directions: scanned.map(({ reverse }) => (reverse ? 1 : 0)),
      ...(result.outputs.length > 0 && {
        scan_output_directions: result.outputs.map((_, i) => (reverseOutputs?.[i] ? 1 : 0)),
      }),
    },
    { outputs: outputs.length },
  );
  return { states: found.slice(0, states.length), outputs: found.slice(states.length) };
}
