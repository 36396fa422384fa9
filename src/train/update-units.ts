import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { elementCount } from '../onnx/tensor.ts';
import { AUXILIARY } from './step-graph.ts';

/** What an optimizer updates at once: a parameter, or the biases and scales of a model as one long vector. */
export interface UpdateUnit {
  /** Stands in the names of its state: `adamw/m/NAME`. */
  readonly name: string;
  readonly value: TypedValue;
  readonly gradient: TypedValue;
  /** The parameters in it, each with what it becomes, from what the unit becomes. */
  split(next: TypedValue): readonly { readonly parameter: TypedValue; readonly next: TypedValue }[];
}

/** The name of the unit that joined vectors make. */
const VECTORS = 'vectors';
/** Longer vectors are updated alone: copying them together and apart would cost more than their nodes. */
const LONGEST_JOINED = 8192;

/**
 * The parameters with their gradients, vectors joined into one. A model has more biases and scales than matrices, with
 * some hundred numbers each: an update of its own costs each of them ten nodes, more for the calls than for the
 * arithmetic (docs/performance.md, "Updates").
 *
 * The joined ones come first: ONNX Runtime computes the results that nothing else reads from the last node to the
 * first, each with all that it needs. The vectors need the whole backward pass; before the matrices' gradients it would
 * keep all that those are made of (a ResNet's step took 1806 MB instead of 1419).
 */
export function updateUnits(
  g: GraphBuilder,
  parameters: readonly TypedValue[],
  gradients: readonly TypedValue[],
): UpdateUnit[] {
  const pairs = parameters.map((parameter, i) => ({ parameter, gradient: gradients[i] as TypedValue }));
  const small = pairs.filter(({ parameter }) => isShortVector(parameter));
  const joined = small.length > 1 ? small : [];
  const alone = pairs
    .filter((pair) => !joined.includes(pair))
    .map(({ parameter, gradient }): UpdateUnit => {
      return {
        name: parameter.name,
        value: parameter,
        gradient,
        split: (next) => [{ parameter, next }],
      };
    });
  return joined.length > 0 ? [joinedUnit(g, joined, freeName(parameters)), ...alone] : alone;
}

function joinedUnit(
  g: GraphBuilder,
  pairs: readonly { readonly parameter: TypedValue; readonly gradient: TypedValue }[],
  name: string,
): UpdateUnit {
  const sizes = pairs.map(({ parameter }) => elementCount(parameter.shape as number[]));
  return {
    name,
    value: g.concat(
      pairs.map(({ parameter }) => parameter),
      0,
    ),
    gradient: g.concat(
      pairs.map(({ gradient }) => gradient),
      0,
    ),
    split(next) {
      const parts = g.node('Split', [next, g.ints(sizes)], { axis: 0 }, { outputs: sizes.length });
      return pairs.map(({ parameter }, i) => ({ parameter, next: parts[i] as TypedValue }));
    },
  };
}

/** Not those that terms bring: a later stage of a training may bring more, and joined state would change its size. */
function isShortVector({ name, type, shape }: TypedValue): boolean {
  if (name.startsWith(AUXILIARY)) return false;
  return type === 'float32' && shape.length === 1 && (shape[0] as number) <= LONGEST_JOINED;
}

function freeName(parameters: readonly TypedValue[]): string {
  let name = VECTORS;
  while (parameters.some((parameter) => parameter.name === name)) name += '_';
  return name;
}
