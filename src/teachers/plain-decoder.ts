import { LimbeckError } from '../errors.ts';
import type { Dim, Graph, TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { ATTENTION_MASK, INPUT_IDS } from './teacher-source.ts';

const PAST = /^past_key_values\.\d+\.(?:decoder\.)?(?:key|value)$/;
const POSITIONS = 'position_ids';
const BRANCH = 'use_cache_branch';

/**
 * A decoder that reads texts whole: its inputs for keys and values of earlier tokens (`past_key_values.N.key`) are empty, positions
 * follow from the mask, and keys and values do not go out. Other models stay as they are.
 *
 * @throws LimbeckError `teacher.inputs` for the merged form of older exporters, which has a branch for each case
 */
export function plainDecoder(graph: Graph, title: string): Graph {
  const past = graph.inputs.filter(({ name }) => PAST.test(name));
  if (past.length === 0) return graph;
  if (graph.inputs.some(({ name }) => name === BRANCH)) {
    throw new LimbeckError(
      'teacher.inputs',
      `${title} has a branch for texts with and without a past (${BRANCH})`,
      {
        where: `inputs: ${graph.inputs.map(({ name }) => name).join(', ')}`,
        remedy:
          'Export it anew with a present version of optimum, which writes one form for both; or take its decoder_model.onnx.',
      },
    );
  }
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map<string, TypedValue>();
  for (const { name, type, shape } of graph.inputs) {
    if (PAST.test(name) || name === POSITIONS) continue;
    const dims = name === ATTENTION_MASK ? (idsShape(graph) ?? shape) : shape;
    bound.set(name, g.input(name, type ?? 'int64', dims ?? []));
  }
  const [ids, mask] = [bound.get(INPUT_IDS), bound.get(ATTENTION_MASK)];
  if (!ids) return graph;
  const rows = g.slice(g.shapeOf(ids), 0, 0, 1);
  for (const { name, type, shape } of past) {
    const [, heads, , size] = shape ?? [];
    const sizes = [heads, 0, size].map((dim) => sizeOf(g, dim, name, title));
    const dims = g.concat([rows, ...sizes], 0);
    const empty = g.op('ConstantOfShape', [dims]);
    bound.set(name, type === 'float16' ? g.cast(empty, 'float16') : empty);
  }
  if (graph.inputs.some(({ name }) => name === POSITIONS)) {
    const ones = mask ?? g.add(g.mul(ids, g.scalar(0, 'int64')), g.scalar(1, 'int64'));
    bound.set(POSITIONS, g.max(g.sub(g.op('CumSum', [ones, g.scalar(1, 'int64')]), 1), 0));
  }
  const values = g.copy(graph, bound);
  for (const output of graph.outputs) {
    if (!/^present/.test(output.name)) g.output(values.get(output) as TypedValue, output.name);
  }
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return removeDeadNodes(g.build(graph.name));
}

function idsShape({ inputs }: Graph): readonly Dim[] | undefined {
  return inputs.find(({ name }) => name === INPUT_IDS)?.shape ?? undefined;
}

function sizeOf(g: GraphBuilder, dim: Dim | undefined, name: string, title: string): TypedValue {
  if (typeof dim === 'number') return g.ints([dim]);
  throw new LimbeckError('teacher.inputs', `${title} does not say how wide '${name}' is`, {
    where: name,
    remedy: 'Export the decoder with fixed sizes of heads and keys.',
  });
}
