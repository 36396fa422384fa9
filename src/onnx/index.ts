/**
 * ONNX models as graphs: read, write, build, rewrite (`limbeck/onnx`). Runs in Node and in a browser.
 *
 * @example
 * import { GraphBuilder, writeModel } from 'limbeck/onnx';
 *
 * const g = new GraphBuilder();
 * const x = g.input('x', 'float32', ['batch', 4]);
 * g.output(g.tanh(x), 'y');
 * const bytes = writeModel(g.build());
 */
export type { DataType, TensorData } from './data-type.ts';
export type { Attribute, Dim, Graph, Node, Shape, TypedValue, Value } from './graph.ts';
export { GraphBuilder, type Operand, type ReduceOptions } from './graph-builder.ts';
export { openModelFile, readModelFile, type WriteModelFileOptions, writeModelFile } from './node-files.ts';
export { bindDims } from './passes/bind-dims.ts';
export { checkGraph } from './passes/check-graph.ts';
export { foldBatchNorm } from './passes/fold-batch-norm.ts';
export { foldConstants } from './passes/fold-constants.ts';
export { mergeDuplicates } from './passes/merge-duplicates.ts';
export { removeDeadNodes } from './passes/remove-dead-nodes.ts';
export { withOutputs } from './passes/select-outputs.ts';
export { toEvaluationForm } from './passes/to-evaluation-form.ts';
export { type ReadModelOptions, readModel } from './read-model.ts';
export { elementCount, float32, int64, type Tensor, tensor, toNumbers, zeros } from './tensor.ts';
export { type WriteModelOptions, writeModel } from './write-model.ts';
