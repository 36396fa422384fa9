import type { Engine } from '../engine/engine.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { type Tensor, tensor } from '../onnx/tensor.ts';
import { writeModel } from '../onnx/write-model.ts';

const INNER = 64;
const COLUMNS = 32;
const ROWS = 8;

/**
 * Whether this machine's int8 products saturate with weights of 8 bits: x86 processors without VNNI add two products of
 * uint8 and int8 in 16 bits. Measured by the largest product there is, not read from the processor's name.
 *
 * @param level the weights of the product; 127 is all of eight bits
 */
export async function saturatesInt8(engine: Pick<Engine, 'load'>, level = 127): Promise<boolean> {
  const g = new GraphBuilder();
  const x = g.input('x', 'uint8', [ROWS, INNER]);
  const weights = g.initializer(
    'w',
    tensor('int8', [INNER, COLUMNS], new Int8Array(INNER * COLUMNS).fill(level)),
  );
  g.output(g.cast(g.op('MatMulInteger', [x, weights]), 'float32'), 'y');
  const session = await engine.load(writeModel(g.build()), { title: 'the probe of int8 products' });
  try {
    const { y } = await session.run({
      x: tensor('uint8', [ROWS, INNER], new Uint8Array(ROWS * INNER).fill(255)),
    });
    return ((y as Tensor).data as Float32Array).some((sum) => sum !== INNER * 255 * level);
  } finally {
    await session.release();
  }
}
