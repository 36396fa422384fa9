import { intAttribute, type Node, type Value } from '../graph.ts';
import type { ModelLayer } from './anatomy.ts';
import { isJoin } from './hidden-states.ts';
import type { ModelPaths } from './model-paths.ts';

/** What may follow the end of a residual block and still be a part of it. */
const ENDING: ReadonlySet<string> = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Clip',
  'Elu',
  'Gelu',
  'HardSwish',
  'Identity',
  'Cast',
  'Reshape',
  'Transpose',
]);
/** These keep a convolution's result linear, with constants beside it. */
const LINEAR: ReadonlySet<string> = new Set([
  'BatchNormalization',
  'Identity',
  'Cast',
  'Add',
  'Sub',
  'Mul',
  'Div',
]);

/** A layer of a convolutional network. */
type FeatureLayer = Required<Pick<ModelLayer, 'name' | 'features'>>;

/**
 * The feature maps [batch, channels, height, width] at the ends of a convolutional network's blocks, from `pixels` on:
 * where residual paths (He et al., 2016) or branches (Szegedy et al., 2015; Zhang et al., 2018) have come together, and
 * after the linear convolution that ends an inverted residual (Sandler et al., 2018). Of a network without blocks, the
 * last map of each size.
 */
export function featureMaps(paths: ModelPaths, pixels: Value): FeatureLayer[] {
  if (!paths.nodes.some(({ opType }) => opType === 'Conv')) return [];
  const maps = spatialWaists(paths, pixels);
  const blocks = blockEnds(paths, maps);
  return describeFeatureMaps(paths, blocks.length > 0 ? blocks : lastOfSizes(paths, maps));
}

/** The waists of four dimensions, until pooling leaves a single place. */
function spatialWaists(paths: ModelPaths, pixels: Value): Value[] {
  const maps: Value[] = [];
  for (const value of paths.waistsAfter(pixels)) {
    if (!paths.isBatchOf(value, 4)) continue;
    const [, , height, width] = paths.shapeOf(value)!;
    const node = paths.producerOf(value)!;
    if (height === 1 && width === 1 && node.opType !== 'Conv') break;
    maps.push(value);
  }
  return maps;
}

function blockEnds(paths: ModelPaths, maps: readonly Value[]): Value[] {
  const ends: Value[] = [];
  /** Whether a convolution and, behind it, something that is not linear have come since the last end. */
  let [convolved, bent] = [false, false];
  maps.forEach((value, i) => {
    const node = paths.producerOf(value)!;
    if (joinsMaps(paths, node)) {
      ends.push(endOf(paths, value, maps.slice(i + 1)));
      [convolved, bent] = [false, false];
    } else if (node.opType === 'Conv') {
      const end = convolved && bent ? linearEnd(paths, value) : undefined;
      if (end) {
        ends.push(end);
        [convolved, bent] = [false, false];
      } else convolved = true;
    } else if (convolved && !isLinear(paths, node)) bent = true;
  });
  return ends;
}

/** Whether residual paths are added, or branches put beside each other. */
function joinsMaps(paths: ModelPaths, node: Node): boolean {
  if (node.opType === 'Concat') {
    const branches = node.inputs.filter((input) => paths.changes(input));
    return branches.length > 1 && intAttribute(node, 'axis', 1) === 1;
  }
  const [a, b] = node.inputs.map((input) => input && paths.shapeOf(input)?.join());
  return isJoin(paths, node) && a === b;
}

/** The end of a block behind the place where its paths meet: an activation, a shuffle of channels, a name. */
function endOf(paths: ModelPaths, join: Value, after: readonly Value[]): Value {
  const shape = paths.shapeOf(join)!.join();
  let [at, end] = [join, join];
  /** Whether a Transpose has put the axes in another order, as for a normalisation over channels. */
  let moved = false;
  for (;;) {
    const [node, ...others] = paths.consumersOf(at);
    const next = node?.outputs[0];
    if (!next || others.length > 0 || !ENDING.has(node.opType)) return end;
    at = next;
    if (node.opType === 'Transpose' || node.opType === 'Reshape') moved = node.opType === 'Transpose';
    if (!moved && after.includes(next) && paths.shapeOf(next)!.join() === shape) end = next;
  }
}

/** What a convolution's result is when the next convolution reads it, where nothing lies between that is not linear. */
function linearEnd(paths: ModelPaths, convolved: Value): Value | undefined {
  let end = convolved;
  for (;;) {
    const consumers = paths.consumersOf(end);
    if (consumers.some(({ opType }) => opType === 'Conv')) return end;
    const next = consumers[0];
    if (consumers.length !== 1 || !next?.outputs[0] || !isLinear(paths, next)) return undefined;
    end = next.outputs[0];
  }
}

function isLinear(paths: ModelPaths, node: Node): boolean {
  return LINEAR.has(node.opType) && node.inputs.filter((input) => paths.changes(input)).length === 1;
}

function lastOfSizes(paths: ModelPaths, maps: readonly Value[]): Value[] {
  return maps.filter((value, i) => sizeOf(paths, value) !== sizeOf(paths, maps[i + 1]));
}

function sizeOf(paths: ModelPaths, value: Value | undefined): string | undefined {
  return value && paths.shapeOf(value)!.slice(2).join();
}

/** Feature maps [batch, channels, height, width] in graph order as layers: a new stage begins where the size changes. */
export function describeFeatureMaps(paths: ModelPaths, maps: readonly Value[]): FeatureLayer[] {
  let [stage, block] = [1, 0];
  return maps.map((value, i) => {
    const [, channels, height, width] = paths.shapeOf(value) as [number, number, number, number];
    const begins = i > 0 && sizeOf(paths, maps[i - 1]) !== sizeOf(paths, value);
    [stage, block] = begins ? [stage + 1, 1] : [stage, block + 1];
    const endsStage = sizeOf(paths, maps[i + 1]) !== sizeOf(paths, value);
    return {
      name: `stage_${stage}/block_${block}`,
      features: { name: value.name, channels, height, width, endsStage },
    };
  });
}
