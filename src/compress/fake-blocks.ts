import type { Graph, Node, Shape, Value } from '../onnx/graph.ts';
import { float32, int64, type Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import { type FourBitForm, LARGEST_LEVEL, MIDDLE } from './blockwise.ts';
import { FakeNumbers } from './fake-numbers.ts';
import type { RoundedValue } from './fake-quantize.ts';
import { blocksKey, blocksOf, isTurned, type KeptInFourBits, keptInFourBits } from './four-bit-weights.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import { type LearntStep, LearntSteps } from './learnt-steps.ts';
import type { EmbeddingLayer, QuantizableLayer } from './quantizable-layers.ts';
import { rewriteLayers } from './quantize-static.ts';

export interface FakeBlocksStudent {
  /** With the same inputs, outputs and weights, and the learnt steps of its blocks. */
  readonly student: Student;
  readonly rounded: readonly RoundedValue[];
  /** The scales that a training has learnt, by `blocksKey`; undefined where the largest weights decide. */
  steps(contents: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> | undefined;
}

/**
 * A student whose weights are rounded as in the 4-bit file that `quantizeWeights` makes of it after such a training: the same layers
 * and blocks, in float32, with gradients that go straight through. The scale of a block is its largest weight over 7 (`observed`), or it
 * is trained (`learnt`), from the one that the file would have without a training; there is no gradient beyond its levels.
 *
 * @param student in the form that ships: batch normalisations folded, nothing dropped
 */
export function fakeBlocks(
  student: Student,
  form: Omit<FourBitForm, 'zeroPoints'>,
  steps: 'observed' | 'learnt' = 'observed',
): FakeBlocksStudent {
  const { graph } = student;
  const rewriter = new GraphRewriter(graph);
  const fake = new BlockRounder(graph, rewriter, steps);
  const rewritten = rewriteLayers(
    graph,
    rewriter,
    {},
    {
      layer(layer) {
        const { dims } = graph.initializers.get(layer.weight) as Tensor;
        const kept = keptInFourBits(layer, dims, { ...form, zeroPoints: false });
        if (!kept) return false;
        fake.layer(layer, kept);
        return true;
      },
    },
  );
  return {
    student: { graph: rewritten, parameters: [...student.parameters, ...fake.learnt.names] },
    rounded: fake.rounded,
    steps: (contents) => (steps === 'learnt' ? fake.steps(contents) : undefined),
  };
}

class BlockRounder {
  readonly rounded: RoundedValue[] = [];
  readonly learnt: LearntSteps;
  readonly #graph: Graph;
  readonly #rewriter: GraphRewriter;
  readonly #numbers: FakeNumbers;
  readonly #weights = new Map<string, Value>();
  /** By `blocksKey`; undefined where the largest weights decide. */
  readonly #steps: Map<string, LearntStep> | undefined;

  constructor(graph: Graph, rewriter: GraphRewriter, steps: 'observed' | 'learnt') {
    this.#graph = graph;
    this.#rewriter = rewriter;
    this.#numbers = new FakeNumbers(rewriter, graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 18);
    this.learnt = new LearntSteps(rewriter, this.#numbers);
    this.#steps = steps === 'learnt' ? new Map() : undefined;
  }

  steps(contents: ReadonlyMap<string, Float32Array>): ReadonlyMap<string, Float32Array> {
    return new Map([...(this.#steps ?? [])].map(([key, step]) => [key, step.read(contents)]));
  }

  layer(layer: QuantizableLayer, kept: KeptInFourBits): void {
    const { node, weight, name } = layer;
    if (layer.kind === 'embedding') {
      // The rows that a batch looks up, rounded: all of the table would cost more.
      const { output } = layer;
      const rows = this.#rewriter.copy(node, node.inputs, {
        ...output,
        name: `${output.name}/exact`,
        type: 'float32',
      });
      const blocks = this.#inBlocks(rows, output.name, kept, this.#rowSteps(layer, kept));
      const target = this.#back(blocks, output.name, kept);
      this.#reshapeLike(target, rows, output);
      this.rounded.push({ kind: 'weight', layer: name, exact: rows.name, rounded: output.name });
      return;
    }
    const made = this.#rounded(layer, kept);
    this.#rewriter.keep(
      node,
      node.inputs.map((value) => (value === weight ? made : value)),
    );
    const after: Node | undefined = layer.kind === 'linear' ? layer.biasNode : layer.relu;
    if (after) this.#rewriter.keep(after, after.inputs);
  }

  /** Weights as the file has them; layers that share them share this. */
  #rounded(layer: Exclude<QuantizableLayer, { kind: 'embedding' }>, kept: KeptInFourBits): Value {
    const { weight, name } = layer;
    const turned = isTurned(layer);
    const key = `${weight.name} ${turned}`;
    let made = this.#weights.get(key);
    if (!made) {
      const numbers = this.#numbers;
      const { rows, columns } = kept;
      const perm = { perm: [1, 0] };
      const matrix = turned
        ? numbers.op('Transpose', [weight], `${weight.name}/turned`, [rows, columns], perm)
        : weight;
      const step = this.#step(layer, kept);
      const back = this.#back(this.#inBlocks(matrix, weight.name, kept, step), weight.name, kept);
      made = turned
        ? numbers.op('Transpose', [back], `${weight.name}/rounded`, weight.shape, perm)
        : numbers.op('Reshape', [back, this.#sizes(weight.shape)], `${weight.name}/rounded`, weight.shape);
      this.#weights.set(key, made);
      this.rounded.push({ kind: 'weight', layer: name, exact: weight.name, rounded: made.name });
    }
    return made;
  }

  /** The learnt steps of a layer's blocks, [blocks, 1]; undefined where their largest weights decide. */
  #step(layer: QuantizableLayer, { width }: KeptInFourBits): Value | undefined {
    if (!this.#steps) return undefined;
    const key = blocksKey(layer, width);
    let step = this.#steps.get(key);
    if (!step) {
      const content = this.#graph.initializers.get(layer.weight) as Tensor;
      const { scales } = blocksOf(layer, content, width, { zeroPoints: false, scales: 'least-error' });
      step = this.learnt.step(key, float32(scales, [scales.length, 1]), width, LARGEST_LEVEL);
      this.#steps.set(key, step);
    }
    return step.scale;
  }

  /** The same for the rows that a batch looks up. */
  #rowSteps(layer: EmbeddingLayer, kept: KeptInFourBits): Value | undefined {
    const steps = this.#step(layer, kept);
    if (!steps) return undefined;
    const numbers = this.#numbers;
    const stem = `${layer.output.name}/steps`;
    const count = Math.ceil(kept.columns / kept.width);
    const byRow = numbers.op('Reshape', [steps, numbers.integers([-1, count])], stem, [kept.rows, count]);
    const looked = numbers.op('Gather', [byRow, layer.indices], `${stem}/rows`, undefined);
    return numbers.op('Reshape', [looked, numbers.integers([-1, 1])], `${stem}/flat`, undefined);
  }

  /** Rows of weights, rounded block by block: [blocks, width]. */
  #inBlocks(
    matrix: Value,
    stem: string,
    { columns, width }: KeptInFourBits,
    learnt: Value | undefined,
  ): Value {
    const numbers = this.#numbers;
    const padded = Math.ceil(columns / width) * width;
    let rows = numbers.op('Reshape', [matrix, numbers.integers([-1, columns])], `${stem}/rows`, undefined);
    if (padded !== columns) {
      const pads = numbers.integers([0, 0, 0, padded - columns]);
      rows = numbers.op('Pad', [rows, pads], `${stem}/padded`, undefined);
    }
    const blocks = numbers.op('Reshape', [rows, numbers.integers([-1, width])], `${stem}/blocks`, undefined);
    if (learnt) return numbers.weight(blocks, learnt, [-MIDDLE, LARGEST_LEVEL], stem);
    const largest = numbers.largestSize(blocks, [1], stem);
    const step = numbers.op('Div', [largest, numbers.scalar(LARGEST_LEVEL)], `${stem}/step`, undefined);
    const scale = numbers.stopped(numbers.usable(step, stem));
    return numbers.weight(blocks, scale, undefined, stem);
  }

  /** Blocks as rows of weights again: [rows, columns]. */
  #back(blocks: Value, stem: string, { columns, width }: KeptInFourBits): Value {
    const numbers = this.#numbers;
    const padded = Math.ceil(columns / width) * width;
    const rows = numbers.op('Reshape', [blocks, numbers.integers([-1, padded])], `${stem}/whole`, undefined);
    if (padded === columns) return rows;
    const ends = [[0], [columns], [1]].map((one) => numbers.integers(one)) as [Value, Value, Value];
    return numbers.op('Slice', [rows, ...ends], `${stem}/own`, undefined);
  }

  #reshapeLike(value: Value, like: Value, output: Value): void {
    const shape = this.#rewriter.emit('Shape', [like], {
      name: `${output.name}/sizes`,
      type: 'int64',
      shape: undefined,
    });
    this.#rewriter.emit('Reshape', [value, shape], output);
  }

  #sizes(shape: Shape | undefined): Value {
    return this.#rewriter.initializer('quantisation/sizes', int64((shape ?? []).map(Number)));
  }
}
