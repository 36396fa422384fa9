import { float } from './attributes.ts';
import { DATA_TYPE_CODES, type DataType } from './data-type.ts';
import type { TypedValue } from './graph.ts';
import { GraphRecorder } from './graph-recorder.ts';
import { int64, type Tensor } from './tensor.ts';

/** A value, or a number that becomes a scalar constant of the other operand's type. */
export type Operand = TypedValue | number;

export interface ReduceOptions {
  /** All axes when absent. */
  axes?: readonly number[];
  /** Whether reduced axes stay with size 1 (true). */
  keepDims?: boolean;
}

/**
 * Builds ONNX graphs operator by operator; each method emits one node and returns its output.
 *
 * @example
 * const g = new GraphBuilder();
 * const x = g.input('x', 'float32', ['batch', 4]);
 * const w = g.initializer('w', float32([1, 2, 3, 4], [4, 1]));
 * g.output(g.sigmoid(g.matMul(x, w)), 'y');
 * const bytes = writeModel(g.build());
 */
export class GraphBuilder extends GraphRecorder {
  // Elementwise, two operands (numpy broadcasting).
  add = (a: Operand, b: Operand): TypedValue => this.#binary('Add', a, b);
  sub = (a: Operand, b: Operand): TypedValue => this.#binary('Sub', a, b);
  mul = (a: Operand, b: Operand): TypedValue => this.#binary('Mul', a, b);
  div = (a: Operand, b: Operand): TypedValue => this.#binary('Div', a, b);
  pow = (a: Operand, b: Operand): TypedValue => this.#binary('Pow', a, b);
  min = (a: Operand, b: Operand): TypedValue => this.#binary('Min', a, b);
  max = (a: Operand, b: Operand): TypedValue => this.#binary('Max', a, b);
  equal = (a: Operand, b: Operand): TypedValue => this.#binary('Equal', a, b);
  less = (a: Operand, b: Operand): TypedValue => this.#binary('Less', a, b);
  greater = (a: Operand, b: Operand): TypedValue => this.#binary('Greater', a, b);
  greaterOrEqual = (a: Operand, b: Operand): TypedValue => this.#binary('GreaterOrEqual', a, b);
  lessOrEqual = (a: Operand, b: Operand): TypedValue => this.#binary('LessOrEqual', a, b);
  and = (a: TypedValue, b: TypedValue): TypedValue => this.op('And', [a, b]);
  or = (a: TypedValue, b: TypedValue): TypedValue => this.op('Or', [a, b]);

  // Elementwise, one operand.
  neg = (x: TypedValue): TypedValue => this.op('Neg', [x]);
  abs = (x: TypedValue): TypedValue => this.op('Abs', [x]);
  sign = (x: TypedValue): TypedValue => this.op('Sign', [x]);
  exp = (x: TypedValue): TypedValue => this.op('Exp', [x]);
  log = (x: TypedValue): TypedValue => this.op('Log', [x]);
  sqrt = (x: TypedValue): TypedValue => this.op('Sqrt', [x]);
  reciprocal = (x: TypedValue): TypedValue => this.op('Reciprocal', [x]);
  relu = (x: TypedValue): TypedValue => this.op('Relu', [x]);
  tanh = (x: TypedValue): TypedValue => this.op('Tanh', [x]);
  sigmoid = (x: TypedValue): TypedValue => this.op('Sigmoid', [x]);
  erf = (x: TypedValue): TypedValue => this.op('Erf', [x]);
  sin = (x: TypedValue): TypedValue => this.op('Sin', [x]);
  cos = (x: TypedValue): TypedValue => this.op('Cos', [x]);
  not = (x: TypedValue): TypedValue => this.op('Not', [x]);
  isNaN = (x: TypedValue): TypedValue => this.op('IsNaN', [x]);
  identity = (x: TypedValue, name?: string): TypedValue => this.op('Identity', [x], {}, { name });

  square(x: TypedValue): TypedValue {
    return this.mul(x, x);
  }

  /** The same value in another type; itself when it has that type already. */
  cast(x: TypedValue, type: DataType): TypedValue {
    return x.type === type ? x : this.op('Cast', [x], { to: DATA_TYPE_CODES[type] });
  }

  where(condition: TypedValue, a: Operand, b: Operand): TypedValue {
    const [left, right] = this.#operands(a, b);
    return this.op('Where', [condition, left, right]);
  }

  /** Limits to [low, high]. */
  clip(x: TypedValue, low: number | null, high: number | null): TypedValue {
    const bound = (value: number | null) => (value === null ? null : this.scalar(value, x.type));
    return this.op('Clip', [x, bound(low), bound(high)]);
  }

  softmax(x: TypedValue, axis = -1): TypedValue {
    return this.op('Softmax', [x], { axis });
  }

  logSoftmax(x: TypedValue, axis = -1): TypedValue {
    return this.op('LogSoftmax', [x], { axis });
  }

  // Matrices.
  matMul = (a: TypedValue, b: TypedValue): TypedValue => this.op('MatMul', [a, b]);

  /** alpha * op(A) x op(B) + beta * C for matrices. */
  gemm(
    a: TypedValue,
    b: TypedValue,
    c: TypedValue | null = null,
    options: { transA?: boolean; transB?: boolean; alpha?: number; beta?: number } = {},
  ): TypedValue {
    return this.op('Gemm', [a, b, c], {
      transA: options.transA ? 1 : undefined,
      transB: options.transB ? 1 : undefined,
      alpha: options.alpha === undefined ? undefined : float(options.alpha),
      beta: options.beta === undefined ? undefined : float(options.beta),
    });
  }

  /** MatMul with the last two axes of either side swapped for free (com.microsoft; FACTS: as fast as without). */
  fusedMatMul(
    a: TypedValue,
    b: TypedValue,
    options: { transA?: boolean; transB?: boolean; alpha?: number } = {},
  ): TypedValue {
    return this.op(
      'FusedMatMul',
      [a, b],
      {
        transA: options.transA ? 1 : undefined,
        transB: options.transB ? 1 : undefined,
        alpha: options.alpha === undefined ? undefined : float(options.alpha),
      },
      { domain: 'com.microsoft' },
    );
  }

  // Reductions.
  reduceSum = (x: TypedValue, options?: ReduceOptions): TypedValue => this.#reduce('ReduceSum', x, options);
  reduceMean = (x: TypedValue, options?: ReduceOptions): TypedValue => this.#reduce('ReduceMean', x, options);
  reduceLogSumExp = (x: TypedValue, options?: ReduceOptions): TypedValue =>
    this.#reduce('ReduceLogSumExp', x, options);
  reduceMax = (x: TypedValue, options?: ReduceOptions): TypedValue => this.#reduce('ReduceMax', x, options);
  reduceMin = (x: TypedValue, options?: ReduceOptions): TypedValue => this.#reduce('ReduceMin', x, options);
  reduceSumSquare = (x: TypedValue, options?: ReduceOptions): TypedValue =>
    this.#reduce('ReduceSumSquare', x, options);

  argMax(x: TypedValue, axis = -1, keepDims = false): TypedValue {
    return this.op('ArgMax', [x], { axis, keepdims: keepDims ? 1 : 0 });
  }

  /** Normalises over the last axis (opset 17). */
  layerNormalization(x: TypedValue, scale: TypedValue, bias: TypedValue | null, epsilon = 1e-5): TypedValue {
    return this.op('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: float(epsilon) });
  }

  // Movement.
  transpose(x: TypedValue, perm: readonly number[]): TypedValue {
    return this.op('Transpose', [x], { perm });
  }

  /** To `shape`, where 0 keeps the input's size at that place and -1 is what remains. */
  reshape(x: TypedValue, shape: readonly number[]): TypedValue {
    return this.op('Reshape', [x, this.ints(shape)]);
  }

  squeeze(x: TypedValue, axes: readonly number[]): TypedValue {
    return this.op('Squeeze', [x, this.ints(axes)]);
  }

  unsqueeze(x: TypedValue, axes: readonly number[]): TypedValue {
    return this.op('Unsqueeze', [x, this.ints(axes)]);
  }

  concat(values: readonly TypedValue[], axis: number): TypedValue {
    return this.op('Concat', values, { axis });
  }

  /** Elements [start, end) along one axis. */
  slice(x: TypedValue, axis: number, start: number, end: number, step = 1): TypedValue {
    return this.op('Slice', [x, this.ints([start]), this.ints([end]), this.ints([axis]), this.ints([step])]);
  }

  /**
   * Adds `before` and `after` zeros along one axis. All axes have their pads: ONNX Runtime 1.30's transpose optimizer
   * takes pads with an `axes` input for those of all axes, and the model then fails when it runs.
   */
  pad(x: TypedValue, axis: number, before: number, after: number): TypedValue {
    const along = (amount: number) => x.shape.map((_, i) => (i === axis ? amount : 0));
    return this.op('Pad', [x, this.ints([...along(before), ...along(after)])]);
  }

  expand(x: TypedValue, shape: readonly number[]): TypedValue {
    return this.op('Expand', [x, this.ints(shape)]);
  }

  // Indexing.
  gather(data: TypedValue, indices: TypedValue, axis = 0): TypedValue {
    return this.op('Gather', [data, indices], { axis });
  }

  gatherElements(data: TypedValue, indices: TypedValue, axis = 0): TypedValue {
    return this.op('GatherElements', [data, indices], { axis });
  }

  scatterElements(
    data: TypedValue,
    indices: TypedValue,
    updates: TypedValue,
    options: { axis?: number; reduction?: 'none' | 'add' } = {},
  ): TypedValue {
    return this.op('ScatterElements', [data, indices, updates], {
      axis: options.axis ?? 0,
      reduction: options.reduction ?? 'none',
    });
  }

  scatterNd(
    data: TypedValue,
    indices: TypedValue,
    updates: TypedValue,
    reduction: 'none' | 'add' = 'none',
  ): TypedValue {
    return this.op('ScatterND', [data, indices, updates], { reduction });
  }

  /** One-hot vectors of width `depth` along a new last axis. */
  oneHot(indices: TypedValue, depth: number, type: 'float32' | 'float64' = 'float32'): TypedValue {
    const values: Tensor = {
      type,
      dims: [2],
      data: type === 'float32' ? Float32Array.of(0, 1) : Float64Array.of(0, 1),
    };
    return this.op('OneHot', [indices, this.scalar(depth, 'int64'), this.#constant('onehot', values)], {
      axis: -1,
    });
  }

  /** The input's shape as an int64 vector. */
  shapeOf(x: TypedValue): TypedValue {
    return this.op('Shape', [x]);
  }

  /** A tensor of one value. */
  fill(
    shape: readonly number[],
    value: number,
    type: 'float32' | 'float64' | 'int64' = 'float32',
  ): TypedValue {
    const data =
      type === 'float32'
        ? Float32Array.of(value)
        : type === 'float64'
          ? Float64Array.of(value)
          : BigInt64Array.of(BigInt(value));
    return this.op('ConstantOfShape', [this.ints(shape)], { value: { type, dims: [1], data } });
  }

  /** A constant int64 vector; equal lists give the same value. */
  ints(values: readonly number[]): TypedValue {
    const key = values.join(',');
    let known = this.#lists.get(key);
    if (!known) {
      known = this.#constant('ints', int64(values));
      this.#lists.set(key, known);
    }
    return known;
  }

  /** A constant tensor. */
  constant(content: Tensor): TypedValue {
    return this.#constant('tensor', content);
  }

  readonly #lists = new Map<string, TypedValue>();
  #constants = 0;

  #constant(stem: string, content: Tensor): TypedValue {
    // A model that was built here before has such names too.
    let name = `${stem}.${this.#constants++}`;
    while (!this.isFree(name)) name = `${stem}.${this.#constants++}`;
    return this.initializer(name, content);
  }

  #operands(a: Operand, b: Operand): [TypedValue, TypedValue] {
    const type = typeof a !== 'number' ? a.type : typeof b !== 'number' ? b.type : 'float32';
    const value = (operand: Operand) => (typeof operand === 'number' ? this.scalar(operand, type) : operand);
    return [value(a), value(b)];
  }

  #binary(opType: string, a: Operand, b: Operand): TypedValue {
    return this.op(opType, this.#operands(a, b));
  }

  #reduce(opType: string, x: TypedValue, options: ReduceOptions = {}): TypedValue {
    const axes = options.axes ? this.ints(options.axes) : null;
    return this.op(opType, [x, axes], { keepdims: options.keepDims === false ? 0 : 1 });
  }
}
