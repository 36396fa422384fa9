import { type AttributeInits, toAttributes } from '../../onnx/attributes.ts';
import type { DataType } from '../../onnx/data-type.ts';
import type { Graph, Node, Shape, Value } from '../../onnx/graph.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Segment } from './segments.ts';

/** What a new value is called, its type and its shape. */
export interface NewValue {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
}

/**
 * The nodes and constants of a graph in the making, main or branch of an `If`. What its nodes read may be computed in the graphs
 * around it, so names are unique over all of them: whoever makes values sees to that.
 */
export class BranchParts {
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<Value, Tensor>();

  add({ nodes, initializers }: Segment): void {
    this.#nodes.push(...nodes);
    for (const [value, content] of initializers) this.#initializers.set(value, content);
  }

  constant(name: string, content: Tensor): Value {
    const value = { name, type: content.type, shape: content.dims };
    this.#initializers.set(value, content);
    return value;
  }

  /** Adds a node with one output, called as that. */
  emit(opType: string, inputs: readonly Value[], output: NewValue, attributes: AttributeInits = {}): Value {
    return this.emitAll(opType, inputs, [output], attributes)[0] as Value;
  }

  emitAll(
    opType: string,
    inputs: readonly Value[],
    outputs: readonly NewValue[],
    attributes: AttributeInits = {},
  ): readonly Value[] {
    const name = `${outputs[0]?.name}/${opType}`;
    this.#nodes.push({ name, opType, domain: '', inputs, outputs, attributes: toAttributes(attributes) });
    return outputs;
  }

  graph(): Pick<Graph, 'nodes' | 'initializers'> {
    return { nodes: [...this.#nodes], initializers: new Map(this.#initializers) };
  }
}
