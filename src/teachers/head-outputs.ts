import { LimbeckError } from '../errors.ts';
import { scoreForm, withScores } from '../onnx/anatomy/score-form.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { renameValue } from '../onnx/passes/rename-value.ts';
import { withOutputs } from '../onnx/passes/select-outputs.ts';
import { replaceReads } from '../onnx/replace-values.ts';
import { int64 } from '../onnx/tensor.ts';
import type { Head } from '../targets/head.ts';
import { classesOf } from '../targets/head.ts';
import type { TeacherClasses } from './teacher-classes.ts';
import { LOGITS } from './teacher-source.ts';
import { describeValue } from './text-inputs.ts';

/**
 * A teacher's model with an output for each head, under the head's name: its own of that name, or `logits` (or its only
 * one) for the main head. Scores are taken before their sigmoid or softmax. Where both name their classes, those of the
 * model are put in the order of the head's.
 *
 * @throws LimbeckError `teacher.outputs` where an output is not there or has another shape, `teacher.classes` where its
 *   classes are others
 */
export function headOutputs(
  model: Graph,
  heads: readonly Head[],
  { title, classes }: { readonly title: string; readonly classes?: TeacherClasses | undefined },
): Graph {
  let graph = model;
  for (const [index, head] of heads.entries()) {
    const found = findOutput(graph, head, index === 0);
    if (!found) throw noOutput(head, graph, title);
    const scores = rawScores(graph, found);
    graph = scores.graph;
    let output = scores.output;
    checkShape(head, output, title);
    // The classes that a model names are those of its own main output.
    const isMain = index === 0 && (found.name === LOGITS || found === model.outputs[0]);
    const order = isMain ? orderOf(head, classes?.names ?? undefined, title) : undefined;
    if (order) ({ graph, output } = reordered(graph, output, order, head.features === 'map' ? 1 : -1));
    if (output.name !== head.output)
      graph = renameValue(freed(graph, head.output, output), output, head.output);
  }
  return removeDeadNodes(
    withOutputs(
      graph,
      heads.map(({ output }) => output),
    ),
  );
}

function findOutput({ outputs }: Graph, { output }: Head, isMain: boolean): Value | undefined {
  const named = outputs.find(({ name }) => name === output);
  if (named || !isMain) return named;
  return outputs.find(({ name }) => name === LOGITS) ?? (outputs.length === 1 ? outputs[0] : undefined);
}

/** What goes into a sigmoid or a softmax at the end. */
function rawScores(graph: Graph, output: Value): { graph: Graph; output: Value } {
  const found = scoreForm(graph, output);
  if (!found || found.form === 'log-softmax') return { graph, output };
  const scored = withScores(graph, found);
  return { graph: scored, output: scored.outputs.find(({ name }) => name === output.name) as Value };
}

/** Another value of the name goes out of the way. */
function freed(graph: Graph, name: string, but: Value): Graph {
  const other = graph.nodes
    .flatMap(({ outputs }) => outputs)
    .find((value) => value !== but && value?.name === name);
  return other ? renameValue(graph, other, `${name}/of_teacher`) : graph;
}

const RANKS = { pooled: 2, tokens: 3, causal: 3, map: 4 } as const;

function checkShape(head: Head, output: Value, title: string): void {
  const { shape, type } = output;
  const names = classesOf(head);
  const width = head.features === 'map' ? undefined : shape?.at(-1);
  const dims = head.target.dims?.(head.space);
  const rank = dims ? dims.length + 1 : RANKS[head.features];
  const isWrong =
    type !== 'float32' ||
    shape?.length !== rank ||
    (names.length > 0 && typeof width === 'number' && width !== names.length) ||
    dims?.some((size, axis) => typeof shape[axis + 1] === 'number' && shape[axis + 1] !== size);
  if (!isWrong) return;
  const wanted = dims
    ? `, [batch, ${dims.join(', ')}]`
    : names.length > 0
      ? `, the last axis of ${names.length}`
      : '';
  throw new LimbeckError(
    'teacher.outputs',
    `the teacher does not answer as the output '${head.output}' (${head.target.title})`,
    {
      where: `${title}: ${describeValue(output)}`,
      remedy: `It has to be float32 with ${rank} axes${wanted}.`,
    },
  );
}

/** The teacher's position of each class of the head; undefined where the order is the same or nobody says it. */
function orderOf(
  head: Head,
  own: readonly (string | undefined)[] | undefined,
  title: string,
): readonly number[] | undefined {
  const wanted = classesOf(head);
  if (!own || wanted.length === 0 || own.every((name, i) => name === wanted[i])) return undefined;
  // Names that say nothing: LABEL_0, LABEL_1.
  if (own.every((name) => name === undefined || /^label[\s_-]*\d+$/i.test(name))) return undefined;
  const order = wanted.map((name) => own.indexOf(name));
  const missing = order.indexOf(-1);
  if (missing < 0) {
    // Channels of a map that are no class come before those that are.
    const before = (head.target.dims?.(head.space)[0] ?? wanted.length) - wanted.length;
    return [...Array.from({ length: before }, (_, i) => i), ...order.map((place) => before + place)];
  }
  throw new LimbeckError('teacher.classes', `the teacher has no class '${wanted[missing]}'`, {
    where: `${title}: its classes are ${own.slice(0, 20).join(', ')}`,
    remedy: 'Rename the classes in the data, or name those of the teacher: teacher.labels.',
  });
}

/** An axis in another order. */
function reordered(
  graph: Graph,
  output: Value,
  order: readonly number[],
  axis: 1 | -1,
): { graph: Graph; output: Value } {
  const before: Value = { ...output, name: `${output.name}/in_teachers_order` };
  const places: Value = { name: `${output.name}/class_order`, type: 'int64', shape: [order.length] };
  const after: Value = { ...output, shape: (output.shape ?? []).with(axis, order.length) };
  const renamed = new Map([[output, before]]);
  const nodes = graph.nodes.map(
    (node): Node => ({
      ...replaceReads(node, renamed),
      outputs: node.outputs.map((value) => (value === output ? before : value)),
    }),
  );
  const gather: Node = {
    name: `${output.name}/order_classes`,
    opType: 'Gather',
    domain: '',
    inputs: [before, places],
    outputs: [after],
    attributes: new Map([['axis', { kind: 'int', value: axis }]]),
  };
  return {
    graph: {
      ...graph,
      nodes: [...nodes, gather],
      outputs: graph.outputs.map((value) => (value === output ? after : value)),
      initializers: new Map([...graph.initializers, [places, int64(order)]]),
    },
    output: after,
  };
}

function noOutput({ output, target }: Head, { outputs }: Graph, title: string): LimbeckError {
  return new LimbeckError('teacher.outputs', `the teacher has no output '${output}' (${target.title})`, {
    where: `${title}: its outputs are ${outputs.map(describeValue).join('; ')}`,
    remedy: 'Name the output as the teacher does (outputs), or export the teacher with it.',
  });
}
