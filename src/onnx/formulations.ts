import type { WeightGradientForm } from './blocked/noted-convolution.ts';
import { type Graph, intAttribute, type Node } from './graph.ts';
import { windowGeometry } from './window-geometry.ts';

/**
 * How a convolution and its gradients are computed: by ONNX Runtime's Conv, by minimal filtering
 * (`passes/lower-convolutions.ts`), as a matrix for each channel (`passes/lower-depthwise.ts`), or over blocks of channels
 * (`passes/block-convolutions.ts`).
 */
export const CONVOLUTION_FORMS = ['plain', 'filtering', 'matrices', 'blocked'] as const;
export type ConvolutionForm = (typeof CONVOLUTION_FORMS)[number];

/** What was found to be fastest on a machine (`src/train/calibration/`): plain data, kept with a training. */
export interface Formulations {
  /** How many channels ONNX Runtime has in a block: 16 with AVX-512, 8 with AVX2; 0 where it has no such kernels. */
  readonly block: number;
  /** By `convolutionKey`; what is not among them has the form that it has without a calibration. */
  readonly convolutions: Readonly<Record<string, ConvolutionForm>>;
  /** The same for the gradients of their weights, where these were measured apart. */
  readonly weightGradients?: Readonly<Record<string, WeightGradientForm>> | undefined;
}

/** The sizes of a convolution but for the batch: `32x28x28 to 32x3x3 stride 1x1 pads 1,1,1,1`. */
export function convolutionKey(
  x: readonly number[],
  w: readonly number[],
  { strides, before, after }: NonNullable<ReturnType<typeof windowGeometry>>,
  group: number,
): string {
  const [outputs, , ...kernel] = w;
  const groups = group === 1 ? '' : ` groups ${group}`;
  return `${x.slice(1).join('x')} to ${outputs}x${kernel.join('x')} stride ${strides.join('x')} pads ${[...before, ...after]}${groups}`;
}

/** The key of a Conv node over images in float32 whose sizes are numbers; undefined for other nodes. */
export function keyOfNode(node: Node): string | undefined {
  const [x, w] = node.inputs;
  if (node.opType !== 'Conv' || node.domain !== '' || !x?.shape || !w?.shape) return undefined;
  if (x.type !== 'float32' || x.shape.length !== 4) return undefined;
  if (![...x.shape, ...w.shape].every((dim) => typeof dim === 'number' && dim > 0)) return undefined;
  const geometry = windowGeometry(node, w.shape.slice(2) as number[], x.shape);
  if (!geometry || geometry.dilations.some((step) => step !== 1)) return undefined;
  return convolutionKey(x.shape as number[], w.shape as number[], geometry, intAttribute(node, 'group', 1));
}

/** The convolutions of a graph, one of each key. */
export function convolutionsIn(graph: Graph): Map<string, Node> {
  return new Map(
    [...graph.nodes].reverse().flatMap((node): [string, Node][] => {
      const key = keyOfNode(node);
      return key === undefined ? [] : [[key, node]];
    }),
  );
}
