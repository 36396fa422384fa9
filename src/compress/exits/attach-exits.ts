import type { TypedValue } from '../../onnx/graph.ts';
import { GraphBuilder } from '../../onnx/graph-builder.ts';
import { layerNorm } from '../../students/layers.ts';
import { pooledFeatures } from '../../students/linear-features.ts';
import { maskColumn, maskedMean } from '../../students/masked-pooling.ts';
import { ParameterMaker } from '../../students/parameters.ts';
import type { Student } from '../../students/student.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import type { TransformContext } from '../transforms/transform.ts';
import type { ExitOptions } from './exit-options.ts';
import { findSites } from './find-sites.ts';
import { type Exits, withExits } from './kept-exits.ts';
import { smallImageExit } from './small-image-exit.ts';

/** The input that says which tokens count, where a student reads texts. */
const ATTENTION_MASK = 'attention_mask';

/**
 * A student with a head at each of the layers that the options name: outputs `exit_N/logits`, float32 [batch, classes], beside its
 * own, and their parameters among its own.
 *
 * With a resolution, the first exit is the student itself on a smaller image. A head over tokens reads their mean, normalised; one over an image's map the means of its parts.
 *
 * @throws LimbeckError `compress.invalid` as `findSites`, and for a student with several outputs or with other answers than a class
 */
export function attachExits(student: Student, options: ExitOptions, context: TransformContext): Student {
  const { graph } = student;
  const [main, ...others] = context.outputs;
  const output = graph.outputs.find(({ name }) => name === main);
  const classes = output?.shape?.length === 2 ? output.shape[1] : undefined;
  if (main === undefined || others.length > 0 || typeof classes !== 'number' || classes < 2) {
    throw cannotCompress(
      context,
      'exits are for students with one output that answers with a class',
      `Give the recipe one output of target class${others.length > 0 ? `; now it has ${context.outputs.join(', ')}` : ''}, or leave the exits out.`,
    );
  }
  const sites = findSites(graph, options, context);
  if (sites.length === 0 && options.resolution === undefined)
    throw cannotCompress(context, 'no exit is named', 'Name layers in `after`, or a `resolution`.');
  const g = new GraphBuilder(graph.opsets.get(''));
  const inputs = graph.inputs.map(({ name, type, shape }) => {
    if (!type || !shape) throw new Error(`the student's input ${name} has no type or shape`);
    return g.input(name, type, shape);
  });
  const values = g.inline(graph, new Map(inputs.map((value) => [value.name, value])));
  for (const { name } of graph.outputs) g.output(values.get(name) as TypedValue);
  const make = new ParameterMaker(g, context.random('exits'));
  const mask = inputs.find(({ name }) => name === ATTENTION_MASK);
  const column = mask && sites.length > 0 ? g.scope('exits', () => maskColumn(g, mask)) : undefined;
  const small = options.resolution === undefined ? undefined : smallImageExit(g, student, options, context);
  const first = small ? 2 : 1;
  const heads = sites.map(({ layer, value }, i) => {
    const scope = `exit_${first + i}`;
    const logits = g.scope(scope, () => {
      const pooled = meansOf(g, make, values.get(value) as TypedValue, column, options);
      return g.identity(headOver(g, make, pooled, options.hidden, classes), 'logits');
    });
    return { output: g.output(logits).name, layer };
  });
  for (const [key, line] of graph.metadata) g.setMetadata(key, line);
  const { confidence, maxDrop, weight, self, parts } = options;
  const exits: Exits = {
    output: main,
    confidence,
    maxDrop,
    weight,
    self,
    parts,
    shared: small !== undefined,
    exits: [...(small ? [small.exit] : []), ...heads],
  };
  const made = make.finish(withExits(g.build(graph.name), exits));
  return {
    ...student,
    graph: made.graph,
    parameters: [...student.parameters, ...(small?.parameters ?? []), ...made.parameters],
  };
}

/** What a head reads of a layer: float32 [batch, width]. @param column which tokens count, float32 [batch, sequence, 1] */
function meansOf(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  column: TypedValue | undefined,
  { places }: Pick<ExitOptions, 'places'>,
): TypedValue {
  if (x.shape.length === 3) {
    const mean = column ? maskedMean(g, x, column) : g.reduceMean(x, { axes: [1], keepDims: false });
    return layerNorm(g, make, 'norm', mean, x.shape[2] as number);
  }
  const [, , height, width] = x.shape;
  const [rows, columns] = [height, width].map((size) =>
    typeof size === 'number' ? Math.min(places, size) : 1,
  ) as [number, number];
  if (rows === 1 && columns === 1) return g.op('Flatten', [g.op('GlobalAveragePool', [x])]);
  const strides = [Math.floor((height as number) / rows), Math.floor((width as number) / columns)];
  const [down, right] = strides as [number, number];
  // Parts overlap where the map's size is no multiple of theirs.
  const kernel = [(height as number) - (rows - 1) * down, (width as number) - (columns - 1) * right];
  return g.op('Flatten', [g.op('AveragePool', [x], { kernel_shape: kernel, strides })]);
}

function headOver(
  g: GraphBuilder,
  make: ParameterMaker,
  x: TypedValue,
  hidden: number,
  classes: number,
): TypedValue {
  const width = x.shape[1] as number;
  if (hidden === 0) return pooledFeatures(g, make, x, width).project('head', classes);
  const inner = g.scope('hidden', () =>
    g.relu(g.gemm(x, make.he('weight', width, hidden), make.constant('bias', [hidden], 0))),
  );
  return pooledFeatures(g, make, inner, hidden).project('head', classes);
}
