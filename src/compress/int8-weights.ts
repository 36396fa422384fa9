import type { Graph, Value } from '../onnx/graph.ts';
import { tensor } from '../onnx/tensor.ts';
import type { GraphRewriter, Target } from './graph-rewriter.ts';
import { type Granularity, quantizeMatrix } from './int8.ts';
import type { EmbeddingLayer, LinearLayer, QuantizableLayer } from './quantizable-layers.ts';
import type { WeightForm } from './weight-form.ts';

/** How the scales of an embedding table lie: one for all, for each row (token), or for each column. */
export type TableScales = Granularity;

export interface LinearWeights {
  /** int8 [K, N]. */
  readonly weight: Value;
  /** float32 [N], or [] for one of all. */
  readonly scales: Value;
  /** The scales' numbers. */
  readonly scaleValues: Float32Array;
  /** float32 [N]. */
  readonly bias: Value | null;
  /** Least and largest of a bias (Gemm's) that is inside the node's output, where calibration saw it. */
  readonly calibratedBias: [number, number];
}

/** Makes the int8 constants of a graph's layers; layers that share weights share them. */
export class Int8Weights {
  readonly #graph: Graph;
  readonly #rewriter: GraphRewriter;
  readonly #form: WeightForm;
  readonly #matrices = new Map<string, Omit<LinearWeights, 'bias' | 'calibratedBias'>>();
  readonly #tables = new Map<Value, { table: Value; scales: Value }>();
  readonly #tied: ReadonlySet<Value>;
  readonly #tiedTables = new Map<Value, TiedTable>();

  /** @param layers all that are made int8: tables that one looks up and another multiplies by are found among them */
  constructor(
    graph: Graph,
    rewriter: GraphRewriter,
    form: WeightForm,
    layers: readonly QuantizableLayer[] = [],
  ) {
    this.#graph = graph;
    this.#rewriter = rewriter;
    this.#form = form;
    this.#tied = new Set(form.scales === 'channel' && !form.trained ? tiedWeights(layers) : []);
  }

  /** int8 weights with a scale per output channel; alpha and beta go into scales and bias. */
  linear(layer: LinearLayer): LinearWeights {
    const { weight, transposed, alpha } = layer;
    if (this.#tied.has(weight)) return { ...this.#tiedTable(weight).product, ...this.#bias(layer) };
    const key = `${weight.name} ${transposed} ${alpha}`;
    let made = this.#matrices.get(key);
    if (!made) {
      const content = this.#content(weight);
      const [rows, columns] = content.dims as [number, number];
      const values = content.data as Float32Array;
      const [inner, outer] = transposed ? [columns, rows] : [rows, columns];
      const matrix = transposed ? transpose(values, rows, columns) : values;
      const { scales: granularity, levels, trained } = this.#form;
      const per = granularity === 'tensor' ? 'tensor' : 'column';
      const { data, scales } = quantizeMatrix(matrix, [inner, outer], per, {
        levels,
        name: weight.name,
        fixedScales: trained?.get(weight.name),
      });
      const scaleValues = alpha === 1 ? scales : scales.map((scale) => scale * alpha);
      made = {
        weight: this.#rewriter.initializer(`${weight.name}_int8`, tensor('int8', [inner, outer], data)),
        scales: this.#rewriter.initializer(
          `${weight.name}_scale`,
          tensor('float32', per === 'tensor' ? [] : [outer], scaleValues),
        ),
        scaleValues,
      };
      this.#matrices.set(key, made);
    }
    return { ...made, ...this.#bias(layer) };
  }

  #bias({ bias, beta, biasNode }: LinearLayer): Pick<LinearWeights, 'bias' | 'calibratedBias'> {
    if (!bias) return { bias: null, calibratedBias: [0, 0] };
    const content = this.#content(bias);
    const values = (content.data as Float32Array).map((value) => value * beta);
    const calibratedBias: [number, number] = biasNode ? [0, 0] : [Math.min(...values), Math.max(...values)];
    if (beta === 1 && content.dims.length === 1) return { bias, calibratedBias };
    const row = this.#rewriter.initializer(`${bias.name}_row`, tensor('float32', [values.length], values));
    return { bias: row, calibratedBias };
  }

  /** Replaces the lookup in a float32 table by one in an int8 table. */
  emitEmbedding(layer: EmbeddingLayer, per: TableScales): void {
    const rewriter = this.#rewriter;
    const { weight, indices, output } = layer;
    const tied = per === 'row' && this.#tied.has(weight) ? this.#tiedTable(weight) : undefined;
    const { table, scales } = tied ?? this.#table(weight, per);
    const rows = rewriter.emit('Gather', [table, indices], {
      name: `${output.name}_int8`,
      type: 'int8',
      shape: output.shape,
    });
    if (per !== 'row') {
      rewriter.emit('DequantizeLinear', [rows, scales], output, per === 'column' ? { axis: -1 } : {});
      return;
    }
    const of: Target = {
      name: `${output.name}_scale`,
      type: 'float32',
      shape: output.shape && [...output.shape.slice(0, -1), 1],
    };
    const scale = tied
      ? rewriter.emit(
          'Unsqueeze',
          [rewriter.emit('Gather', [scales, indices], { ...of, shape: undefined }), tied.lastAxis],
          of,
        )
      : rewriter.emit('Gather', [scales, indices], of);
    const whole = rewriter.emit(
      'Cast',
      [rows],
      { name: `${output.name}_levels`, type: 'float32', shape: output.shape },
      { to: 1 },
    );
    rewriter.emit('Mul', [whole, scale], output);
  }

  /**
   * One table for both, with the levels and scales of products: a token's scale is that of its logit as well. The product has it
   * transposed, which ONNX Runtime does once, as it loads the file.
   */
  #tiedTable(weight: Value): TiedTable {
    let made = this.#tiedTables.get(weight);
    if (!made) {
      const rewriter = this.#rewriter;
      const { levels } = this.#form;
      const content = this.#content(weight);
      const dims = content.dims as [number, number];
      const options = { levels, name: weight.name };
      const { data, scales: scaleValues } = quantizeMatrix(
        content.data as Float32Array,
        dims,
        'row',
        options,
      );
      const table = rewriter.initializer(`${weight.name}_int8`, tensor('int8', dims, data));
      const scales = rewriter.initializer(`${weight.name}_scale`, tensor('float32', [dims[0]], scaleValues));
      const lastAxis = rewriter.initializer(
        `${weight.name}_axis`,
        tensor('int64', [1], BigInt64Array.of(-1n)),
      );
      const turned: Target = { name: `${weight.name}_turned`, type: 'int8', shape: [dims[1], dims[0]] };
      const matrix = rewriter.emit('Transpose', [table], turned, { perm: [1, 0] });
      made = { table, scales, lastAxis, product: { weight: matrix, scales, scaleValues } };
      this.#tiedTables.set(weight, made);
    }
    return made;
  }

  #table(weight: Value, per: TableScales): { table: Value; scales: Value } {
    let made = this.#tables.get(weight);
    if (!made) {
      const content = this.#content(weight);
      const dims = content.dims as [number, number];
      const { data, scales } = quantizeMatrix(content.data as Float32Array, dims, per, { name: weight.name });
      const scaleDims = per === 'row' ? [dims[0], 1] : per === 'column' ? [dims[1]] : [];
      made = {
        table: this.#rewriter.initializer(`${weight.name}_table_int8`, tensor('int8', dims, data)),
        scales: this.#rewriter.initializer(
          `${weight.name}_table_scale`,
          tensor('float32', scaleDims, scales),
        ),
      };
      this.#tables.set(weight, made);
    }
    return made;
  }

  #content(value: Value) {
    const content = this.#graph.initializers.get(value);
    if (!content) throw new Error(`'${value.name}' is no constant`);
    return content;
  }
}

interface TiedTable {
  /** int8 [V, N] */
  readonly table: Value;
  /** float32 [V] */
  readonly scales: Value;
  /** int64 [1]: -1. */
  readonly lastAxis: Value;
  readonly product: Omit<LinearWeights, 'bias' | 'calibratedBias'>;
}

/** Tables whose rows are looked up, and that something is multiplied by, transposed: as decoders do with their tokens. */
function tiedWeights(layers: readonly QuantizableLayer[]): Value[] {
  const tables = new Set(layers.flatMap((layer) => (layer.kind === 'embedding' ? [layer.weight] : [])));
  const products = layers.filter((layer) => layer.kind === 'linear');
  return [...tables].filter((table) => {
    const own = products.filter(({ weight }) => weight === table);
    return own.length > 0 && own.every(({ transposed, alpha }) => transposed && alpha === 1);
  });
}

/** A matrix [rows, columns] as [columns, rows]. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column];
  }
  return result;
}
