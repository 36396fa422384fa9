import { expect, it } from 'vitest';
import { createNodeEngine } from '../../engine/node.ts';
import { GraphBuilder } from '../graph-builder.ts';
import { float32, int64 } from '../tensor.ts';
import { writeModel } from '../write-model.ts';
import { renameGeneratedConstants } from './rename-generated-constants.ts';

it('makes models loadable that hold what ONNX Runtime is about to generate', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2, 3, 4]);
  const product = g.matMul(x, g.initializer('w', float32(new Float32Array(20), [4, 5])));
  const sum = g.add(product, g.initializer('b', float32(new Float32Array(5))));
  const flat = g.op('Reshape', [sum, g.initializer('gemm_input_shape', int64([-1, 5]))]);
  g.output(g.op('Reshape', [flat, g.initializer('gemm_output_shape_token_0', int64([5, -1]))]), 'y');
  const graph = g.build();
  const engine = createNodeEngine({ threads: 1 });
  // The day this loads, the pass can go.
  await expect(engine.load(writeModel(graph))).rejects.toThrow('existing tensor');
  await (await engine.load(writeModel(renameGeneratedConstants(graph)))).release();
});
