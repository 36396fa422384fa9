import { type Dim, intAttribute, intsAttribute, type Node } from '../graph.ts';
import { elementCount, type Tensor, toNumbers } from '../tensor.ts';
import {
  addDims,
  divideDims,
  equalDims,
  floorDivideDims,
  multiplyDims,
  productOfDims,
  subtractDims,
} from './size-expression.ts';

/**
 * What is known of a short tensor of sizes: row-major elements, numbers, names, or null for what cannot be told.
 * Exporters compute target shapes (Shape, Gather, Concat, ...), and this is how inference sees through that.
 */
export interface SizeContents {
  readonly dims: readonly number[];
  readonly elements: readonly (Dim | null)[];
}

/** Longer tensors are not followed. */
const MAX_ELEMENTS = 64;

type Evaluate = (
  node: Node,
  inputs: readonly (SizeContents | undefined)[],
) => readonly (SizeContents | undefined)[];

/**
 * The contents of a node's outputs as far as they can be told from those of its inputs; undefined for others.
 * Not only integers: a size that is cast to float, scaled by a whole number and cast back is still a size.
 */
export function sizeContents(
  node: Node,
  inputs: readonly (SizeContents | undefined)[],
): readonly (SizeContents | undefined)[] {
  if (node.domain !== '') return [];
  const evaluate = EVALUATORS.get(node.opType);
  if (!evaluate) return [];
  return evaluate(node, inputs).map((content, i) => {
    const shape = node.outputs[i]?.shape;
    if (!content || !shape || content.elements.length > MAX_ELEMENTS) return undefined;
    // A rule here and the inference of shapes must agree; where they do not, nothing is claimed.
    return shape.length === content.dims.length && shape.every((dim, axis) => dim === content.dims[axis])
      ? content
      : undefined;
  });
}

const shape: Evaluate = (node) => {
  const input = node.inputs[0]?.shape;
  if (!input) return [];
  const end = node.attributes.has('end') ? intAttribute(node, 'end', 0) : input.length;
  const elements = input.slice(intAttribute(node, 'start', 0), end);
  return [{ dims: [elements.length], elements }];
};

const size: Evaluate = (node) => {
  const input = node.inputs[0]?.shape;
  return input ? [{ dims: [], elements: [productOfDims(input)] }] : [];
};

/** The same elements under the output's shape. A size as a truth value is something else. */
const sameElements: Evaluate = (node, [source]) => {
  const target = node.outputs[0]?.shape;
  if (!source || !target?.every((dim) => typeof dim === 'number')) return [];
  if (node.outputs[0]?.type === 'bool' && node.inputs[0]?.type !== 'bool') return [];
  return elementCount(target) === source.elements.length ? [{ dims: target, elements: source.elements }] : [];
};

/** Rounding a size changes nothing: what is known here is whole. */
const elementwise =
  (compute: (a: Dim, b: Dim) => Dim | null): Evaluate =>
  (_node, [a, b]) => {
    if (!a || !b) return [];
    const long = b.elements.length > a.elements.length || b.dims.length > a.dims.length ? b : a;
    const fits = (part: SizeContents) => part.elements.length === 1 || part.dims.join() === long.dims.join();
    if (!fits(a) || !fits(b)) return [];
    const at = (part: SizeContents, i: number) => part.elements[part.elements.length === 1 ? 0 : i] ?? null;
    const elements = long.elements.map((_, i) => {
      const [left, right] = [at(a, i), at(b, i)];
      return left === null || right === null ? null : compute(left, right);
    });
    return [{ dims: long.dims, elements }];
  };

const divide: Evaluate = (node, inputs) => {
  const whole = node.outputs[0]?.type === 'int64' || node.outputs[0]?.type === 'int32';
  return elementwise((a, b) => {
    if (b === 0) return null;
    if (typeof a === 'number' && typeof b === 'number' && whole) return Math.trunc(a / b);
    return divideDims(a, b) ?? (whole ? floorDivideDims(a, b) : null);
  })(node, inputs);
};

const numbersOnly = (compute: (a: number, b: number) => number) =>
  elementwise((a, b) =>
    a === b ? a : typeof a === 'number' && typeof b === 'number' ? compute(a, b) : null,
  );

/** Truth as 1 and 0. */
const equal = elementwise((a, b) => {
  const result = equalDims(a, b);
  return result === undefined ? null : Number(result);
});

const where: Evaluate = (_node, [condition, a, b]) => {
  if (!condition || !a || !b) return [];
  const parts = [condition, a, b];
  const long = parts.reduce((x, y) =>
    y.elements.length > x.elements.length || y.dims.length > x.dims.length ? y : x,
  );
  if (parts.some((part) => part.elements.length !== 1 && part.dims.join() !== long.dims.join())) return [];
  const at = (part: SizeContents, i: number) => part.elements[part.elements.length === 1 ? 0 : i] ?? null;
  const elements = long.elements.map((_, i) => {
    const [chosen, left, right] = [at(condition, i), at(a, i), at(b, i)];
    if (left !== null && left === right) return left;
    return chosen === null ? null : chosen === 0 ? right : left;
  });
  return [{ dims: long.dims, elements }];
};

const gather: Evaluate = (node, [data, indices]) => {
  if (!data || !indices || data.dims.length !== 1 || intAttribute(node, 'axis', 0) > 0) return [];
  const count = data.elements.length;
  const elements = indices.elements.map((index) => {
    if (typeof index !== 'number') return null;
    return data.elements[index < 0 ? index + count : index] ?? null;
  });
  return [{ dims: indices.dims, elements }];
};

const concat: Evaluate = (node, inputs) => {
  if (inputs.every((part) => part === undefined)) return [];
  // A part of which nothing is known still takes its place, where its length is known.
  const parts = inputs.map((part, i) => part ?? unknownVector(node.inputs[i]?.shape));
  if (parts.some((part) => part?.dims.length !== 1)) return [];
  const elements = parts.flatMap((part) => part?.elements ?? []);
  return [{ dims: [elements.length], elements }];
};

function unknownVector(shape: readonly Dim[] | undefined): SizeContents | undefined {
  const length = shape?.length === 1 ? shape[0] : undefined;
  if (typeof length !== 'number' || length > MAX_ELEMENTS) return undefined;
  return { dims: [length], elements: new Array(length).fill(null) };
}

const slice: Evaluate = (node, [data, starts, ends, , steps]) => {
  if (data?.dims.length !== 1) return [];
  const bound = (given: SizeContents | undefined, name: string) => {
    const value = given ? given.elements[0] : intsAttribute(node, name)?.[0];
    return typeof value === 'number' ? value : undefined;
  };
  const [start, end] = [bound(starts, 'starts'), bound(ends, 'ends')];
  const step = node.inputs[4] ? steps?.elements[0] : 1;
  if (start === undefined || end === undefined || step !== 1) return [];
  const elements = data.elements.slice(start, end);
  return [{ dims: [elements.length], elements }];
};

const split: Evaluate = (node, [data]) => {
  if (data?.dims.length !== 1) return [];
  let start = 0;
  return node.outputs.map((output) => {
    const length = output?.shape?.[0];
    // The place of what comes after a part of unknown length is unknown.
    if (typeof length !== 'number') start = Number.NaN;
    if (Number.isNaN(start) || typeof length !== 'number') return undefined;
    start += length;
    return { dims: [length], elements: data.elements.slice(start - length, start) };
  });
};

const reduction =
  (combine: (a: Dim, b: Dim) => Dim, start: Dim): Evaluate =>
  (node, [data]) => {
    const target = node.outputs[0]?.shape;
    if (!data || !target?.every((dim) => dim === 1)) return [];
    const known = data.elements.filter((element) => element !== null);
    const whole = known.length === data.elements.length;
    return [{ dims: target.map(() => 1), elements: [whole ? known.reduce(combine, start) : null] }];
  };

/** One size repeated. */
const expand: Evaluate = (node, [data]) => {
  const target = node.outputs[0]?.shape;
  if (data?.elements.length !== 1 || target?.length !== 1 || typeof target[0] !== 'number') return [];
  if (target[0] > MAX_ELEMENTS) return [];
  return [{ dims: [target[0]], elements: new Array(target[0]).fill(data.elements[0]) }];
};

const EVALUATORS = new Map<string, Evaluate>(
  Object.entries({
    Shape: shape,
    Size: size,
    Identity: sameElements,
    Cast: sameElements,
    Reshape: sameElements,
    Squeeze: sameElements,
    Unsqueeze: sameElements,
    Flatten: sameElements,
    Floor: sameElements,
    Ceil: sameElements,
    Round: sameElements,
    Add: elementwise(addDims),
    Sub: elementwise(subtractDims),
    Mul: elementwise(multiplyDims),
    Div: divide,
    Min: numbersOnly(Math.min),
    Max: numbersOnly(Math.max),
    Equal: equal,
    Where: where,
    Gather: gather,
    Concat: concat,
    Slice: slice,
    Split: split,
    ReduceProd: reduction(multiplyDims, 1),
    ReduceSum: reduction(addDims, 0),
    Expand: expand,
  }),
);

/** The contents of a tensor that is short and numeric; fractions are not sizes. */
export function contentsOfTensor(tensor: Tensor): SizeContents | undefined {
  const { type, dims, data } = tensor;
  if (data.length > MAX_ELEMENTS || type === 'string') return undefined;
  const elements = toNumbers(tensor).map((value) => (Number.isSafeInteger(value) ? value : null));
  return { dims, elements };
}
