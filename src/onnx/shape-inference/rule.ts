import type { DataType } from '../data-type.ts';
import { type Attribute, type Dim, intAttribute, type Shape, type TypedValue } from '../graph.ts';
import { type Tensor, toNumbers } from '../tensor.ts';
import { broadcastDim } from './size-expression.ts';

/** A type and a shape: what inference says of one output. */
export interface Fact {
  readonly type: DataType;
  readonly shape: Shape;
}

/** The call that a rule looks at. */
export interface InferenceContext {
  readonly opType: string;
  readonly inputs: readonly (TypedValue | null)[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly opset: number;
  /** How many outputs the node has. */
  readonly outputCount: number;
  /** The content of an input, when it is a constant. */
  constant(index: number): Tensor | undefined;
  /**
   * The elements of an input that is a short list of whole numbers, where some may be names of sizes, and null those
   * of which nothing is known; undefined when it is no such list.
   */
  sizes(index: number): readonly (Dim | null)[] | undefined;
  /** A name for a size that nothing determines. */
  freshDim(): string;
}

/** Says type and shape of each output, or throws a ShapeError. */
export type InferenceRule = (context: InferenceContext) => Fact[];

/** Shapes (or types) that an operator cannot take. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

/** A shape has no more sizes than this, whatever a file says: numpy and PyTorch stop there, too. */
export const MAX_RANK = 64;

/** How many sizes the list at input `index` has, where its length alone is known. */
export function rankListed(context: InferenceContext, index: number): number {
  const { shape } = inputAt(context, index);
  const [length] = shape;
  if (shape.length !== 1 || typeof length !== 'number' || length > MAX_RANK)
    throw new ShapeError(`${context.opType} to a shape of unknown rank`);
  return length;
}

/** The required input number `index`. */
export function inputAt(context: InferenceContext, index: number): TypedValue {
  const value = context.inputs[index];
  if (!value) throw new ShapeError(`${context.opType} needs input ${index}`);
  return value;
}

/** `axis` counted from the front; throws when outside [-rank, rank). */
export function normalizeAxis(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank)
    throw new ShapeError(`axis ${axis} is outside a shape of rank ${rank}`);
  return positive;
}

/** The `axis` attribute, counted from the front. */
export function axisOf(context: InferenceContext, fallback: number, rank: number): number {
  return normalizeAxis(intAttribute(context, 'axis', fallback), rank);
}

/** The whole numbers of a constant input (shapes, axes, ...), or undefined when it is no constant. */
export function constantInts(context: InferenceContext, index: number): number[] | undefined {
  const constant = context.inputs[index] ? context.constant(index) : undefined;
  return constant && toNumbers(constant);
}

/** The list that older opsets keep in attribute `name` and newer ones in input `index`. */
export function intsFrom(context: InferenceContext, name: string, index: number): number[] | undefined {
  const attribute = context.attributes.get(name);
  if (attribute?.kind === 'ints') return [...attribute.value];
  return constantInts(context, index);
}

/**
 * The shape of an elementwise operation on these shapes (numpy's rule). A symbolic size meets a number greater
 * than 1 as that number: anything else would fail when it runs. Two symbols give a name of its own
 * (`broadcast(batch, rows)`): either may be 1.
 */
export function broadcastShapes(...shapes: Shape[]): Dim[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    let dim: Dim = 1;
    for (const shape of shapes) {
      const position = i - (rank - shape.length);
      if (position < 0) continue;
      const other = shape[position];
      if (typeof dim === 'number' && typeof other === 'number' && dim !== other && dim !== 1 && other !== 1)
        throw new ShapeError(`shapes ${shapes.map(formatShape).join(' and ')} do not broadcast`);
      dim = broadcastDim(dim, other);
    }
    result.push(dim);
  }
  return result;
}

/** `[32, batch, 4]`, for messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Fails unless the sizes can be equal. */
export function requireEqualDims(a: Dim, b: Dim, what: string): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b)
    throw new ShapeError(`${what}: ${a} and ${b} differ`);
}
