import { arrayTypeOf } from './data-type.ts';
import { evaluateNode } from './evaluate/evaluate-node.ts';
import type { Node, Shape, Value } from './graph.ts';
import { contentsOfTensor, type SizeContents, sizeContents } from './shape-inference/size-contents.ts';
import { elementCount, type Tensor, tensor } from './tensor.ts';
import { UnwrittenTensor } from './unwritten-tensor.ts';

/** Longer lists are not followed. */
const KNOWN_ELEMENTS = 64;

/** Nodes that reduce large constants are cheap to write and dear to evaluate. */
const MAX_ELEMENTS_READ = 2 ** 24;

/**
 * What is known of the contents of a graph's values while it is recorded: its initializers, and short lists of whole
 * numbers that nodes compute. Exporters compute target shapes by Shape, Gather and Concat: where every size is a
 * number these lists are, and where some are names the lists hold the names.
 */
export class KnownContents {
  readonly #initializers: ReadonlyMap<Value, Tensor>;
  readonly #computed = new Map<Value, Tensor>();
  readonly #sizes = new Map<Value, SizeContents>();
  readonly #budget = { elements: MAX_ELEMENTS_READ };

  constructor(initializers: ReadonlyMap<Value, Tensor>) {
    this.#initializers = initializers;
  }

  tensorOf(value: Value): Tensor | undefined {
    const content = this.#initializers.get(value);
    if (content instanceof UnwrittenTensor) return undefined;
    return content ?? this.#computed.get(value);
  }

  sizesOf(value: Value): SizeContents | undefined {
    const content = this.tensorOf(value);
    return content ? contentsOfTensor(content) : this.#sizes.get(value);
  }

  /** Remembers what a node computes, as far as that can be told. */
  learn(node: Node): void {
    const [output] = node.outputs;
    if (!output?.shape) return;
    if (output.type === 'int64' || output.type === 'int32' || output.type === 'bool') this.#evaluate(node);
    if (!this.#computed.has(output) && isShort(output.shape)) this.#evaluateSizes(node);
  }

  #evaluate(node: Node): void {
    const inputs = node.inputs.map((value) => (value ? this.tensorOf(value) : null));
    const results = evaluateNode(node, inputs, { maxElements: KNOWN_ELEMENTS, budget: this.#budget });
    results?.forEach((content, i) => {
      const value = node.outputs[i];
      if (value) this.#computed.set(value, content);
    });
  }

  #evaluateSizes(node: Node): void {
    const inputs = node.inputs.map((value) => (value ? this.sizesOf(value) : undefined));
    sizeContents(node, inputs).forEach((content, i) => {
      const value = node.outputs[i];
      if (!value || !content) return;
      const { type } = value;
      const known = content.elements.every((element) => typeof element === 'number');
      if (known && (type === 'int64' || type === 'int32' || type === 'bool'))
        this.#computed.set(value, wholeTensor(type, content.dims, content.elements as number[]));
      else this.#sizes.set(value, content);
    });
  }
}

function isShort(shape: Shape): boolean {
  return shape.every((dim) => typeof dim === 'number') && elementCount(shape as number[]) <= KNOWN_ELEMENTS;
}

function wholeTensor(
  type: 'int64' | 'int32' | 'bool',
  dims: readonly number[],
  values: readonly number[],
): Tensor {
  const data =
    type === 'int64' ? BigInt64Array.from(values, BigInt) : (arrayTypeOf(type).from(values) as Int32Array);
  return tensor(type, dims, data);
}
