import type { Engine } from '../engine/engine.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { writeModel } from '../onnx/write-model.ts';
import type { Feeds } from './calibrate.ts';
import { GraphRewriter } from './graph-rewriter.ts';

/**
 * The largest size that each float32 value of a graph reaches over some batches, by its name; infinite where a value is so. It is
 * found inside the graph, so that values are not copied out of it.
 */
export async function largestValues(
  graph: Graph,
  engine: Pick<Engine, 'load'>,
  batches: Iterable<Feeds>,
): Promise<Map<string, number>> {
  const rewriter = new GraphRewriter(graph);
  const measured: { readonly name: string; readonly size: Value }[] = [];
  const measure = (value: Value) => {
    const scalar = (stem: string) => ({ name: `${value.name}/${stem}`, type: 'float32' as const, shape: [] });
    const sizes = rewriter.emit('Abs', [value], { ...scalar('sizes'), shape: value.shape });
    measured.push({
      name: value.name,
      size: rewriter.emit('ReduceMax', [sizes], scalar('largest'), { keepdims: 0 }),
    });
  };
  let isFirst = true;
  const rewritten = rewriter.rewrite((node) => {
    if (isFirst) for (const value of graph.inputs) if (value.type === 'float32') measure(value);
    isFirst = false;
    rewriter.keep(node, node.inputs);
    for (const value of node.outputs) if (value?.type === 'float32') measure(value);
    return true;
  });
  const outputs = measured.map(({ size }) => size);
  if (outputs.length === 0) return new Map();
  const largest = new Map<string, number>();
  const session = await engine.load(writeModel({ ...rewritten, outputs }), {
    title: 'the model under calibration',
  });
  try {
    for (const feeds of batches) {
      const found = await session.run(feeds);
      for (const { name, size } of measured) {
        const value = Number(found[size.name]?.data[0] ?? 0);
        const known = largest.get(name) ?? 0;
        largest.set(name, Number.isNaN(value) ? Number.POSITIVE_INFINITY : Math.max(known, value));
      }
    }
  } finally {
    await session.release();
  }
  return largest;
}
