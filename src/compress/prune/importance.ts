import type { Graph, Value } from '../../onnx/graph.ts';
import { elementCount } from '../../onnx/tensor.ts';
import type { RandomStream } from '../../random.ts';
import type { UnitGroup, UnitPart } from '../channels/dependency-groups.ts';

/** How much each unit of a group matters, in the order of its units; more is more. */
export type Importance = (group: UnitGroup) => readonly number[];

/**
 * By the sizes of weights: the L1 norm of a unit's slice of each matrix and kernel, as a part of the mean of the tensor's slices,
 * summed over the tensors that the unit is in.
 *
 * Li, Kadav, Durdanovic, Samet and Graf, "Pruning Filters for Efficient ConvNets" (2017), section 3.1; over all that a channel
 * reaches as Fang et al., "DepGraph" (2023), section 3.3.
 */
export function byWeights(graph: Graph): Importance {
  return (group) => {
    const norms = group.units.map(({ parts }) =>
      parts.map((part) => (rankOf(part) > 1 ? sumOver(graph, part, Math.abs) : 0)),
    );
    const means = group.units[0]?.parts.map((_, i) => {
      const mean = norms.reduce((sum, own) => sum + (own[i] as number), 0) / norms.length;
      return mean || 1;
    });
    return norms.map((own) => own.reduce((sum, norm, i) => sum + norm / ((means?.[i] as number) || 1), 0));
  };
}

/**
 * By the scales of the normalisations after a channel: those that training drew towards 0 say that they are not needed (Liu,
 * Li, Shen, Huang, Yan and Zhang, "Learning Efficient Convolutional Networks through Network Slimming", 2017). Undefined where
 * no channel of the group is normalised.
 */
export function byScales(graph: Graph): (group: UnitGroup) => readonly number[] | undefined {
  const scales = normalizationScales(graph);
  return (group) => {
    const first = group.units[0];
    if (!first?.parts.some(({ parameter }) => scales.has(parameter))) return undefined;
    return group.units.map(({ parts }) => {
      const own = parts.filter(({ parameter }) => scales.has(parameter));
      return own.reduce((sum, part) => sum + sumOver(graph, part, Math.abs) / part.indices.length, 0);
    });
  };
}

/** The scales of batch and layer normalisations, as they stand in a graph. */
export function normalizationScales({ nodes, initializers }: Graph): ReadonlySet<Value> {
  const scales = nodes.flatMap(({ opType, inputs: [, scale] }) =>
    opType === 'BatchNormalization' || opType === 'LayerNormalization' ? [scale] : [],
  );
  return new Set(scales.filter((value): value is Value => value != null && initializers.has(value)));
}

/**
 * By what the loss would change without the unit, to the first order: the square of the sum of gradient times weight over all that
 * is removed with it, mean over batches.
 *
 * Molchanov, Mallya, Tyree, Frosio and Kautz, "Importance Estimation for Neural Network Pruning" (2019), equation 8.
 */
export class TaylorImportance {
  readonly #graph: Graph;
  readonly #groups: readonly UnitGroup[];
  readonly #sums = new Map<number, number>();

  constructor(graph: Graph, groups: readonly UnitGroup[]) {
    this.#graph = graph;
    this.#groups = groups;
  }

  /** Takes the gradients of one batch, by the names of parameters. */
  add(gradients: ReadonlyMap<string, Float32Array>): void {
    for (const { units } of this.#groups) {
      for (const { id, parts } of units) {
        const change = parts.reduce((sum, part) => {
          const gradient = gradients.get(part.parameter.name);
          return gradient
            ? sum + sumOver(this.#graph, part, (weight, at) => weight * (gradient[at] as number))
            : sum;
        }, 0);
        this.#sums.set(id, (this.#sums.get(id) ?? 0) + change * change);
      }
    }
  }

  of = ({ units }: UnitGroup): readonly number[] => units.map(({ id }) => this.#sums.get(id) ?? 0);
}

/** What anything has to be better than. */
export function atRandom(streamOf: (group: string) => RandomStream): Importance {
  return ({ name, units }) => {
    const random = streamOf(name);
    return units.map(() => random.uniform());
  };
}

function rankOf({ parameter }: UnitPart): number {
  return parameter.shape?.length ?? 0;
}

/** The sum of what is made of each element of a part, and of its place in the tensor. */
export function sumOver(
  graph: Graph,
  { parameter, axis, indices }: UnitPart,
  of: (value: number, at: number) => number,
): number {
  const content = graph.initializers.get(parameter);
  if (!content) return 0;
  const { dims } = content;
  const data = content.data as Float32Array;
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const size = dims[axis] as number;
  let sum = 0;
  for (let o = 0; o < outer; o++)
    for (const index of indices) {
      const from = (o * size + index) * inner;
      for (let at = from; at < from + inner; at++) sum += of(data[at] as number, at);
    }
  return sum;
}

/** The indices of a group's units, the least important first; of equal ones the later one. */
export function leastFirst(importance: readonly number[]): number[] {
  return Array.from(importance.keys()).sort(
    (a, b) => (importance[a] as number) - (importance[b] as number) || b - a,
  );
}
