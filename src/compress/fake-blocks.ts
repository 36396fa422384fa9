import type { Graph, Node, Shape, Value } from '../onnx/graph.ts';
import { int64, type Tensor } from '../onnx/tensor.ts';
import type { Student } from '../students/student.ts';
import { LARGEST_LEVEL } from './blockwise.ts';
import { FakeNumbers } from './fake-numbers.ts';
import type { RoundedValue } from './fake-quantize.ts';
import { type FourBitForm, type KeptInFourBits, keptInFourBits } from './four-bit-weights.ts';
import { GraphRewriter } from './graph-rewriter.ts';
import type { QuantizableLayer } from './quantizable-layers.ts';
import { rewriteLayers } from './quantize-static.ts';

export interface FakeBlocksStudent {
  /** With the same inputs, outputs and weights. */
  readonly student: Student;
  readonly rounded: readonly RoundedValue[];
}

/**
 * A student whose weights are rounded as in the 4-bit file that `quantizeWeights` makes of it after such a training: the same layers
 * and blocks, each with its largest weight over 7 as the scale, in float32, with gradients that go straight through.
 *
 * @param student in the form that ships: batch normalisations folded, nothing dropped
 */
export function fakeBlocks(student: Student, form: Omit<FourBitForm, 'zeroPoints'>): FakeBlocksStudent {
  const { graph } = student;
  const rewriter = new GraphRewriter(graph);
  const fake = new BlockRounder(graph, rewriter);
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
  return { student: { graph: rewritten, parameters: student.parameters }, rounded: fake.rounded };
}

class BlockRounder {
  readonly rounded: RoundedValue[] = [];
  readonly #rewriter: GraphRewriter;
  readonly #numbers: FakeNumbers;
  readonly #weights = new Map<string, Value>();

  constructor(graph: Graph, rewriter: GraphRewriter) {
    this.#rewriter = rewriter;
    this.#numbers = new FakeNumbers(rewriter, graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 18);
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
      const blocks = this.#inBlocks(rows, output.name, kept);
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
    const isTurned = layer.kind === 'linear' && !layer.transposed;
    const key = `${weight.name} ${isTurned}`;
    let made = this.#weights.get(key);
    if (!made) {
      const numbers = this.#numbers;
      const { rows, columns } = kept;
      const perm = { perm: [1, 0] };
      const matrix = isTurned
        ? numbers.op('Transpose', [weight], `${weight.name}/turned`, [rows, columns], perm)
        : weight;
      const back = this.#back(this.#inBlocks(matrix, weight.name, kept), weight.name, kept);
      made = isTurned
        ? numbers.op('Transpose', [back], `${weight.name}/rounded`, weight.shape, perm)
        : numbers.op('Reshape', [back, this.#sizes(weight.shape)], `${weight.name}/rounded`, weight.shape);
      this.#weights.set(key, made);
      this.rounded.push({ kind: 'weight', layer: name, exact: weight.name, rounded: made.name });
    }
    return made;
  }

  /** Rows of weights, rounded block by block: [blocks, width]. */
  #inBlocks(matrix: Value, stem: string, { columns, width }: KeptInFourBits): Value {
    const numbers = this.#numbers;
    const padded = Math.ceil(columns / width) * width;
    let rows = numbers.op('Reshape', [matrix, numbers.integers([-1, columns])], `${stem}/rows`, undefined);
    if (padded !== columns) {
      const pads = numbers.integers([0, 0, 0, padded - columns]);
      rows = numbers.op('Pad', [rows, pads], `${stem}/padded`, undefined);
    }
    const blocks = numbers.op('Reshape', [rows, numbers.integers([-1, width])], `${stem}/blocks`, undefined);
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
