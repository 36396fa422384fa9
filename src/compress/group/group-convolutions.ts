import { type Graph, intAttribute, type Node, type Value } from '../../onnx/graph.ts';
import { namePattern } from '../../onnx/name-pattern.ts';
import { int64, type Tensor } from '../../onnx/tensor.ts';
import type { Student } from '../../students/student.ts';
import { cannotCompress } from '../transforms/cannot-compress.ts';
import type { TransformContext } from '../transforms/transform.ts';
import type { GroupOptions } from './group-options.ts';

/** A standard convolution that is to become a grouped one. */
export interface GroupedLayer {
  readonly node: Node;
  /** Float32 [outputs, inputs, ...]. */
  readonly weight: Value;
  /** Whether its input's channels are shuffled first: another grouped convolution made them. */
  readonly shuffles: boolean;
}

/** Operators through which channels pass each for itself. */
const CHANNELWISE = new Set(
  'Relu Sigmoid Tanh Identity HardSwish HardSigmoid Clip LeakyRelu Elu Mul Add Dropout BatchNormalization MaxPool AveragePool PRelu Gelu'.split(
    ' ',
  ),
);

/**
 * The convolutions of a student that become grouped ones: those with kernels larger than 1, without groups, whose weights are
 * parameters. Those that read the model's inputs stay: images have too few channels. A weight that several convolutions share (of an
 * exit on a smaller image) becomes one of groups for all of them, or stays for all.
 *
 * @throws LimbeckError `compress.invalid` where groups do not divide the channels of one, and where there is none
 */
export function layersToGroup(
  { graph, parameters }: Student,
  { groups, skip, shuffle }: Pick<GroupOptions, 'groups' | 'skip' | 'shuffle'>,
  context: Pick<TransformContext, 'where'>,
): GroupedLayer[] {
  const patterns = skip.map(namePattern);
  const layers: GroupedLayer[] = [];
  const producers = new Map<Value, Node>();
  for (const node of graph.nodes) for (const value of node.outputs) if (value) producers.set(value, node);
  const grouped = new Set<Node>();
  const first = new Set(
    graph.nodes.flatMap(({ opType, inputs: [x, weight] }) =>
      opType === 'Conv' && x && weight && graph.inputs.includes(x) ? [weight] : [],
    ),
  );
  const shuffles = new Map<Value, boolean>();
  for (const node of graph.nodes) {
    const [x, weight] = node.inputs;
    const content = weight && graph.initializers.get(weight);
    if (node.opType !== 'Conv' || node.domain !== '' || !x || !weight || !content) continue;
    const [outputs, inputs, ...kernel] = content.dims as [number, number, ...number[]];
    const isWhole = intAttribute(node, 'group', 1) === 1 && kernel.some((size) => size > 1);
    if (!isWhole || !parameters.includes(weight.name) || first.has(weight)) continue;
    if (patterns.some((fits) => fits(weight.name))) continue;
    if (inputs % groups !== 0 || outputs % groups !== 0) {
      throw cannotCompress(
        context,
        `${groups} groups do not divide the ${inputs} input and ${outputs} output channels of ${weight.name}`,
        'Choose another number of `groups`, or name the layer in `skip`.',
      );
    }
    if (!shuffles.has(weight)) shuffles.set(weight, shuffle && readsGroups(x, producers, grouped));
    layers.push({ node, weight, shuffles: shuffles.get(weight) === true });
    grouped.add(node);
  }
  if (layers.length > 0) return layers;
  throw cannotCompress(
    context,
    `the student ${graph.name} has no convolution that could be grouped (kernels larger than 1, not in groups already, behind the first layer)`,
    'Leave the transform out, or take a student of whole convolutions: resnet.',
  );
}

/** Whether what a value holds was made by a grouped convolution, and nothing mixed its channels since. */
function readsGroups(
  value: Value,
  producers: ReadonlyMap<Value, Node>,
  grouped: ReadonlySet<Node>,
  seen = new Set<Value>(),
): boolean {
  if (seen.has(value)) return false;
  seen.add(value);
  const node = producers.get(value);
  if (!node) return false;
  if (grouped.has(node)) return true;
  if (!CHANNELWISE.has(node.opType)) return false;
  return node.inputs.some((input) => input && readsGroups(input, producers, grouped, seen));
}

/** Which input channel comes to each place after a shuffle: place j of group k has what was channel k + j * groups. */
export function shuffled(channels: number, groups: number): number[] {
  const each = channels / groups;
  return Array.from({ length: channels }, (_, place) => Math.floor(place / each) + (place % each) * groups);
}

/**
 * The weights [outputs, inputs / groups, ...] that a standard convolution has between the channels of each group: what is left of
 * it when the others are left out.
 */
export function diagonalBlocks(weight: Tensor, groups: number, shuffles: boolean, scale = 1): Tensor {
  const [outputs, inputs, ...kernel] = weight.dims as [number, number, ...number[]];
  const size = kernel.reduce((product, one) => product * one, 1);
  const each = inputs / groups;
  const source = weight.data as Float32Array;
  const data = new Float32Array(outputs * each * size);
  const order = shuffles ? shuffled(inputs, groups) : Array.from({ length: inputs }, (_, i) => i);
  for (let output = 0; output < outputs; output++) {
    const group = Math.floor((output * groups) / outputs);
    for (let i = 0; i < each; i++) {
      const from = (output * inputs + (order[group * each + i] as number)) * size;
      for (let k = 0; k < size; k++)
        data[(output * each + i) * size + k] = scale * (source[from + k] as number);
    }
  }
  return { type: 'float32', dims: [outputs, each, ...kernel], data };
}

/** A graph whose nodes are replaced one by one, with new constants. */
class Rewriting {
  readonly initializers: Map<Value, Tensor>;
  readonly #names: Set<string>;

  constructor(graph: Graph) {
    this.initializers = new Map(graph.initializers);
    this.#names = new Set([
      ...[...graph.inputs, ...graph.initializers.keys()].map(({ name }) => name),
      ...graph.nodes.flatMap(({ outputs }) => outputs.flatMap((value) => (value ? [value.name] : []))),
    ]);
  }

  value(stem: string, type: Value['type'], shape: Value['shape']): Value {
    let name = stem;
    for (let count = 1; this.#names.has(name); count++) name = `${stem}_${count}`;
    this.#names.add(name);
    return { name, type, shape };
  }

  constant(stem: string, content: Tensor): Value {
    const value = this.value(stem, content.type, content.dims);
    this.initializers.set(value, content);
    return value;
  }

  /** The nodes of a grouped convolution that reads `x`, with the weight `blocks`, and gives `output`. */
  grouped({ node, weight, shuffles }: GroupedLayer, blocks: Value, groups: number, output: Value): Node[] {
    const [x, , ...bias] = node.inputs as [Value, Value, ...Value[]];
    const attributes = new Map([...node.attributes, ['group', { kind: 'int', value: groups }] as const]);
    const name = output.name;
    if (!shuffles) return [{ ...node, name, attributes, inputs: [x, blocks, ...bias], outputs: [output] }];
    // Groups in rows, turned and read again: the channel shuffle of ShuffleNet (Zhang et al., 2018, section 3.1).
    const [batch, channels, ...places] = x.shape as NonNullable<Value['shape']>;
    const each = (channels as number) / groups;
    const count = places.reduce<number | string>(
      (product, size) =>
        typeof product === 'number' && typeof size === 'number' ? product * size : 'places',
      1,
    );
    const stem = `${weight.name}/shuffle`;
    const rows = this.value(`${stem}/rows`, x.type, [batch as number, each, groups, count]);
    const turned = this.value(`${stem}/turned`, x.type, [batch as number, groups, each, count]);
    const mixed = this.value(`${stem}/mixed`, x.type, x.shape);
    const split = this.constant(`${stem}/split`, int64([0, each, groups, -1]));
    const join = this.constant(
      `${stem}/join`,
      int64([0, channels as number, ...places.map((size) => (typeof size === 'number' ? size : -1))]),
    );
    const plain = { domain: '', attributes: new Map() };
    return [
      { ...plain, name: rows.name, opType: 'Reshape', inputs: [x, split], outputs: [rows] },
      {
        ...plain,
        name: turned.name,
        opType: 'Transpose',
        inputs: [rows],
        outputs: [turned],
        attributes: new Map([['perm', { kind: 'ints', value: [0, 2, 1, 3] }]]),
      },
      { ...plain, name: mixed.name, opType: 'Reshape', inputs: [turned, join], outputs: [mixed] },
      { ...node, name, attributes, inputs: [mixed, blocks, ...bias], outputs: [output] },
    ];
  }
}

/** The student with grouped convolutions in the place of its standard ones, under the same names. */
export function withGroups(
  { graph, parameters }: Student,
  layers: readonly GroupedLayer[],
  groups: number,
  blocksOf: (layer: GroupedLayer) => Tensor,
): Student {
  const rewriting = new Rewriting(graph);
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const shared = new Map<Value, Value>();
  const blocksFor = (layer: GroupedLayer): Value => {
    const found = shared.get(layer.weight);
    if (found) return found;
    const content = blocksOf(layer);
    const blocks: Value = { ...layer.weight, shape: content.dims };
    shared.set(layer.weight, blocks);
    rewriting.initializers.delete(layer.weight);
    rewriting.initializers.set(blocks, content);
    return blocks;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const layer = byNode.get(node);
    if (!layer) return [node];
    const blocks = blocksFor(layer);
    return rewriting.grouped(layer, blocks, groups, node.outputs[0] as Value);
  });
  return { graph: { ...graph, nodes, initializers: rewriting.initializers }, parameters };
}

/** A grouped convolution beside the one that it is to take the place of. */
export interface GroupBeside {
  readonly layer: GroupedLayer;
  /** The name of its weight, float32 [outputs, inputs / groups, ...]. */
  readonly weight: string;
  /** Names of the values that both give, float32 [batch, outputs, ...]. */
  readonly grouped: string;
  readonly whole: string;
}

/**
 * The student as it is, and beside each convolution a grouped one over the same input: its only parameters are those of the
 * grouped ones.
 */
export function withGroupsBeside(
  { graph }: Student,
  layers: readonly GroupedLayer[],
  groups: number,
): { readonly student: Student; readonly pairs: readonly GroupBeside[] } {
  const rewriting = new Rewriting(graph);
  const pairs: GroupBeside[] = [];
  const shared = new Map<Value, Value>();
  const blocksFor = ({ weight, shuffles }: GroupedLayer): Value => {
    const found = shared.get(weight);
    if (found) return found;
    const content = graph.initializers.get(weight) as Tensor;
    const blocks = rewriting.constant(`${weight.name}/blocks`, diagonalBlocks(content, groups, shuffles));
    shared.set(weight, blocks);
    return blocks;
  };
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const layer = byNode.get(node);
    if (!layer) return [node];
    const whole = node.outputs[0] as Value;
    const blocks = blocksFor(layer);
    const output = rewriting.value(`${whole.name}/grouped`, whole.type, whole.shape);
    pairs.push({ layer, weight: blocks.name, grouped: output.name, whole: whole.name });
    return [node, ...rewriting.grouped(layer, blocks, groups, output)];
  });
  return {
    student: {
      graph: { ...graph, nodes, initializers: rewriting.initializers },
      parameters: [...new Set(pairs.map(({ weight }) => weight))],
    },
    pairs,
  };
}
