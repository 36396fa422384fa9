import type { DataType } from '../data-type.ts';
import type { Node } from '../graph.ts';
import { elementCount, float32, int64, type Tensor } from '../tensor.ts';
import { allocate, Declined, type Evaluator, required, takeElements, wholeNumbers } from './evaluator.ts';

/** The tensor of a Constant node, in any of the ways to write one, or undefined (sparse constants). */
function constantTensor(node: Node): Tensor | undefined {
  for (const [name, attribute] of node.attributes) {
    switch (attribute.kind) {
      case 'tensor':
        if (name === 'value') return attribute.value;
        break;
      case 'int':
        if (name === 'value_int') return int64([attribute.value], []);
        break;
      case 'ints':
        if (name === 'value_ints') return int64(attribute.value);
        break;
      case 'float':
        if (name === 'value_float') return float32([attribute.value], []);
        break;
      case 'floats':
        if (name === 'value_floats') return float32(attribute.value);
        break;
      case 'string':
        if (name === 'value_string') return { type: 'string', dims: [], data: [attribute.value] };
        break;
      case 'strings':
        if (name === 'value_strings') {
          return { type: 'string', dims: [attribute.value.length], data: [...attribute.value] };
        }
        break;
    }
  }
  return undefined;
}

const constant: Evaluator = (node) => {
  const tensor = constantTensor(node);
  if (!tensor) throw new Declined('no dense value');
  return [tensor];
};

const constantOfShape: Evaluator = (node, inputs, limits) => {
  const dims = wholeNumbers(required(inputs, 0), limits);
  const attribute = node.attributes.get('value');
  const value = attribute?.kind === 'tensor' ? attribute.value : float32([0]);
  if (value.data.length !== 1) throw new Declined('the value is not one element');
  // takeElements checks the size, but the places come first.
  allocate('bool', dims, limits);
  return [takeElements(value, new Uint8Array(elementCount(dims)), dims, limits)];
};

const range: Evaluator = (_node, inputs, limits) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => required(inputs, i)) as [Tensor, Tensor, Tensor];
  const { type } = start;
  if (limit.type !== type || delta.type !== type) throw new Declined('operands of two types');
  if ([start, limit, delta].some((t) => t.data.length !== 1)) throw new Declined('operands are not scalars');
  if (type === 'int64') {
    const [from, to, step] = [start, limit, delta].map((t) => Number(t.data[0])) as [number, number, number];
    const dims = [countOf(from, to, step)];
    const data = allocate('int64', dims, limits);
    for (let i = 0; i < data.length; i++) data[i] = BigInt(from + i * step);
    return [{ type, dims, data }];
  }
  if (type !== 'int32' && type !== 'int16') throw new Declined(`not for ${type as DataType}`);
  const [from, to, step] = [start, limit, delta].map((t) => t.data[0]) as [number, number, number];
  const dims = [countOf(from, to, step)];
  const data = allocate(type, dims, limits);
  for (let i = 0; i < data.length; i++) data[i] = from + i * step;
  return [{ type, dims, data }];
};

function countOf(from: number, to: number, step: number): number {
  if (step === 0 || ![from, to, step].every(Number.isSafeInteger)) throw new Declined('not a range');
  return Math.max(0, Math.ceil((to - from) / step));
}

export const CREATION: Record<string, Evaluator> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
};
