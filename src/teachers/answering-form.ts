import type { Graph, Node, Value } from '../onnx/graph.ts';
import { toEvaluationForm, trainingNodes } from '../onnx/passes/to-evaluation-form.ts';
import { halfTypes, toFloat32 } from '../onnx/passes/to-float32.ts';
import { usedValues } from '../onnx/used-values.ts';

/** A teacher's model in the form in which it is asked, and what a person has to know of what was changed. */
export interface AnsweringModel {
  readonly graph: Graph;
  readonly notes: readonly string[];
}

/**
 * A model as it answers: nothing is dropped at random, no statistics of a batch are used, everything is computed in
 * float32 (the CPU has no kernels for bfloat16, and few for float16), and inputs that nothing reads are gone.
 */
export function answeringForm(graph: Graph): AnsweringModel {
  const notes: string[] = [];
  const training = trainingNodes(graph);
  if (training.length > 0) {
    notes.push(
      `the teacher was exported in training mode (${counted(training)}); it is asked in evaluation mode, without dropout and with its running statistics`,
    );
  }
  const types = halfTypes(graph);
  if (types.length > 0) notes.push(`the teacher computes in ${types.join(' and ')}; it is asked in float32`);
  return { graph: withoutUnusedInputs(toFloat32(toEvaluationForm(graph))), notes };
}

/** `2 Dropout, 1 BatchNormalization`. */
function counted(nodes: readonly Node[]): string {
  const counts = new Map<string, number>();
  for (const { opType } of nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return [...counts].map(([opType, count]) => `${count} ${opType}`).join(', ');
}

/** An input that only said whether to train is read by nothing any more. */
function withoutUnusedInputs(graph: Graph): Graph {
  const used = new Set<Value>(graph.outputs);
  for (const node of graph.nodes) for (const value of usedValues(node)) used.add(value);
  const inputs = graph.inputs.filter((input) => used.has(input) || !isSwitch(input));
  return inputs.length === graph.inputs.length ? graph : { ...graph, inputs };
}

/** A single truth value. */
function isSwitch({ type, shape }: Value): boolean {
  return type === 'bool' && (shape === undefined || shape.every((size) => size === 1));
}
