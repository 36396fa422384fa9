import type { TypedValue } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { mergeDuplicates } from '../onnx/passes/merge-duplicates.ts';
import { nameOutputs } from '../onnx/passes/name-outputs.ts';
import { removeDeadNodes } from '../onnx/passes/remove-dead-nodes.ts';
import { removeIdentities } from '../onnx/passes/remove-identities.ts';
import { carriedSpecs } from './carried.ts';
import { type CompiledStep, NEXT } from './compile-step.ts';
import { specOf, type TensorSpec } from './step-graph.ts';

/**
 * The same step `count` times in one model: batch inputs get a first axis [count], metrics too, parameters and state go
 * in before the first and come out after the last. `step` is the number of the first one; all have one learning rate.
 *
 * The call of a session, and the parameters that go in and out, then cost once for all of them: a fifth to a quarter of
 * the time of small models with small batches, nothing for others (docs/performance.md, "Updates").
 */
export function unrollStep(step: CompiledStep, count: number): CompiledStep {
  if (count === 1) return step;
  const g = new GraphBuilder(step.graph.opsets.get(''));
  const held = new Map<string, TypedValue>();
  for (const { name, type, dims } of carriedSpecs(step.carried)) held.set(name, g.input(name, type, dims));
  const batches = new Map<string, TypedValue>();
  for (const { name, type, dims } of step.batchInputs)
    batches.set(name, g.input(name, type, [count, ...dims]));
  const learningRate = g.input('learning_rate', 'float32', []);
  const first = g.input('step', 'float32', []);

  const metrics = new Map<string, TypedValue[]>(step.metrics.map((name) => [name, []]));
  for (let i = 0; i < count; i++) {
    const bound = new Map(held);
    const at = g.scalar(i, 'int64');
    for (const [name, value] of batches) bound.set(name, g.gather(value, at));
    bound.set('learning_rate', learningRate);
    bound.set('step', i === 0 ? first : g.add(first, i));
    const values = g.inline(step.graph, bound, `step-${i}`);
    for (const name of held.keys()) held.set(name, values.get(name + NEXT) as TypedValue);
    for (const [name, found] of metrics) found.push(g.unsqueeze(values.get(name) as TypedValue, [0]));
  }
  for (const [name, value] of held) g.output(value, name + NEXT);
  for (const [name, values] of metrics) g.output(g.concat(values, 0), name);
  const batchInputs: TensorSpec[] = [...batches.values()].map(specOf);
  const graph = g.build(step.graph.name);
  return {
    ...step,
    graph: nameOutputs(mergeDuplicates(removeDeadNodes(removeIdentities(graph)))),
    batchInputs,
  };
}
