import type { Engine } from '../../engine/engine.ts';
import { BLOCKED } from '../../onnx/blocked/kernels.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { float32 } from '../../onnx/tensor.ts';
import { writeModel } from '../../onnx/write-model.ts';

/** More channels than any processor has in a block. */
const CHANNELS = 64;

/**
 * How many channels ONNX Runtime lays in a block on this machine (16 with AVX-512, 8 with AVX2), or 0 where the engine has
 * no such kernels. Found by trial: the tensor [1, 64, 1, 2] is laid in blocks, and the second pixel of the first channel
 * then stands where the first block ends.
 */
export async function channelBlock(engine: Engine): Promise<number> {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1, CHANNELS, 1, 2]);
  g.output(g.op('ReorderInput', [x], {}, { domain: BLOCKED }), 'y');
  const feeds = {
    x: float32(
      Float32Array.from({ length: 2 * CHANNELS }, (_, i) => i),
      [1, CHANNELS, 1, 2],
    ),
  };
  let data: ArrayLike<unknown>;
  try {
    const session = await engine.load(writeModel(g.build()), { title: 'a trial of blocked channels' });
    try {
      data = (await session.run(feeds)).y.data as ArrayLike<unknown>;
    } finally {
      await session.release();
    }
  } catch {
    // onnxruntime-web, and processors without them: the operator is not there.
    return 0;
  }
  const block = Array.from(data, Number).indexOf(1);
  return block > 1 && CHANNELS % block === 0 ? block : 0;
}
