import type { Graph, TypedValue, Value } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../../onnx/graph-builder.ts';
import { ShapeError } from '../../onnx/shape-inference/rule.ts';
import type { Student } from '../../students/student.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import type { TransformContext } from '../transforms/transform.ts';
import type { ExitOptions } from './exit-options.ts';

const PIXELS = 'pixel_values';
const SCOPE = 'exit_1';

/** The exit, and its parameters beside those of the student. */
interface SmallImageExit {
  readonly exit: { readonly output: string; readonly layer: string };
  readonly parameters: readonly string[];
}

/**
 * The student once more in the graph of which it is a part, on the image at fewer pixels (means of squares of them): with the same weights,
 * and batch normalisations of its own, for statistics differ from size to size (Wang et al., "Resolution Switchable Networks",
 * 2020).
 *
 * @param g holds the student, under its names
 * @throws LimbeckError `compress.invalid` for a student that reads no images, or images of one size alone
 */
export function smallImageExit(
  g: GraphBuilder,
  { graph, parameters }: Student,
  { resolution = 1, train }: Pick<ExitOptions, 'resolution' | 'train'>,
  context: TransformContext,
): SmallImageExit {
  const at = { where: `${context.where}.resolution` };
  const pixels = g.inputs.find(({ name, shape }) => name === PIXELS && shape.length === 4);
  const [, , height, width] = pixels?.shape ?? [];
  if (!pixels || typeof height !== 'number' || typeof width !== 'number') {
    throw cannotCompress(at, 'the student reads no images', 'Leave out `resolution`.');
  }
  if (train === 'heads') {
    throw cannotCompress(
      at,
      'a smaller image needs normalisations of its own, which are trained with the student',
      'Give train: all, or leave out `resolution`.',
    );
  }
  const [rows, columns] = [height, width].map((size) => Math.floor(size / resolution)) as [number, number];
  if (rows < 2 || columns < 2) {
    throw cannotCompress(
      at,
      `of ${height}x${width} pixels ${rows}x${columns} would be left`,
      'Give a smaller `resolution`.',
    );
  }
  const sides = [resolution, resolution];
  const small = g.scope(SCOPE, () => g.op('AveragePool', [pixels], { kernel_shape: sides, strides: sides }));
  const own = normalizing(graph);
  const there = new Map<string, TypedValue>(
    [...g.inputs, ...g.initializers.keys()].map((value) => [value.name, value as TypedValue]),
  );
  const bound = new Map<string, TypedValue>();
  for (const { name } of graph.inputs)
    bound.set(name, name === PIXELS ? small : (there.get(name) as TypedValue));
  for (const value of graph.initializers.keys())
    if (!own.has(value)) bound.set(value.name, there.get(value.name) as TypedValue);
  const values = inlined(g, graph, bound, at);
  const logits = values.get(context.outputs[0] as string) as TypedValue;
  const trained = new Set(parameters);
  const copied = [...own].filter(({ name }) => trained.has(name));
  return {
    exit: { output: g.output(logits).name, layer: `the image at ${rows}x${columns}` },
    parameters: copied.map(({ name }) => values.get(name)?.name as string),
  };
}

/** The constants of batch normalisations: scales, shifts and running statistics. */
function normalizing({ nodes, initializers }: Graph): Set<Value> {
  return new Set(
    nodes.flatMap(({ opType, inputs }) =>
      opType === 'BatchNormalization'
        ? inputs.slice(1).filter((value): value is Value => value !== null && initializers.has(value))
        : [],
    ),
  );
}

function inlined(
  g: GraphBuilder,
  graph: Graph,
  bound: ReadonlyMap<string, TypedValue>,
  at: Pick<TransformContext, 'where'>,
): Map<string, TypedValue> {
  try {
    return g.inline(graph, bound, SCOPE);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw cannotCompress(
      at,
      `the student ${graph.name} reads images of one size alone: ${error.message}`,
      'Take one that ends in a mean over all places (resnet, mobilenet-v3), or leave out `resolution`.',
    );
  }
}
