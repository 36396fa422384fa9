import { LimbeckError } from '../errors.ts';
import { nearestNames } from '../nearest.ts';
import { isFloat } from '../onnx/data-type.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';
import { namePattern } from '../onnx/name-pattern.ts';
import { elementCount, type Tensor } from '../onnx/tensor.ts';

/** An initializer that does not learn, and why. */
export interface FrozenInitializer {
  readonly name: string;
  readonly reason: string;
}

export interface TrainableInitializers {
  readonly trained: readonly string[];
  /** The model's own float initializers that are not trained. */
  readonly frozen: readonly FrozenInitializer[];
}

export interface TrainableOptions {
  /** Names or patterns (`*` stands for any characters) of what learns; all weights by default. */
  readonly train?: readonly string[];
  /** Names or patterns of what does not learn, of those that would. */
  readonly freeze?: readonly string[];
}

/** Inputs of operators that hold settings, not weights; and the statistics of a batch normalisation. */
const SETTINGS: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  DequantizeLinear: [1],
  Dropout: [1],
  OneHot: [2],
  Pad: [2],
  QuantizeLinear: [1],
  Resize: [1, 2],
  Upsample: [1],
};
/** Exporters write masks as numbers that no weight has: -10000 (BERT), the lowest float, minus infinity. */
const MASK = -1e4;

/**
 * Which initializers of a model learn: its float32 weights, or what `train` names, without what `freeze` names.
 *
 * @param constants names of initializers that were constants in the model's file
 * @throws LimbeckError `compile.no-such-parameter` for a name or pattern that fits nothing, with the nearest names
 */
export function trainableInitializers(
  graph: Graph,
  constants: ReadonlySet<string>,
  { train, freeze = [] }: TrainableOptions = {},
): TrainableInitializers {
  const readers = readersOf(graph);
  const reasons = new Map<string, string | undefined>();
  const learnable: string[] = [];
  for (const [value, content] of graph.initializers) {
    if (!isFloat(content.type)) continue;
    if (content.type === 'float32') learnable.push(value.name);
    if (constants.has(value.name)) continue;
    reasons.set(value.name, reasonAgainst(content, readers.get(value) ?? []));
  }
  const weights = [...reasons].filter(([, reason]) => !reason).map(([name]) => name);
  if (train) {
    // A pattern means weights; a name may also be that of a constant.
    const named = train.flatMap((name) =>
      learnable.includes(name) ? [name] : matching(name, weights, '--train'),
    );
    for (const name of weights) reasons.set(name, 'not named by --train');
    for (const name of named) reasons.set(name, undefined);
  }
  for (const name of freeze.flatMap((pattern) => matching(pattern, learnable, '--freeze'))) {
    if (reasons.has(name)) reasons.set(name, reasons.get(name) ?? 'named by --freeze');
  }
  return {
    trained: [...reasons].filter(([, reason]) => !reason).map(([name]) => name),
    frozen: [...reasons].flatMap(([name, reason]) => (reason ? [{ name, reason }] : [])),
  };
}

/** Why an initializer is no weight; undefined when it may be one. */
function reasonAgainst(
  { type, dims, data }: Tensor,
  readers: readonly (readonly [Node, number])[],
): string | undefined {
  if (type !== 'float32') return `${type}: only float32 learns`;
  if (elementCount(dims) < 2) return 'a single number';
  if (readers.length > 0 && readers.every(([node, index]) => SETTINGS[node.opType]?.includes(index))) {
    const [[node]] = readers as [readonly [Node, number]];
    return node.opType === 'BatchNormalization' ? 'running statistics' : `a setting of ${node.opType}`;
  }
  const numbers = data as Float32Array;
  if (!numbers.some((number) => number <= MASK || isBroken(number))) return undefined;
  const broken = numbers.filter(isBroken).length;
  if (broken === 0) return 'a mask';
  return `${broken} of its ${numbers.length} numbers ${broken === 1 ? 'is' : 'are'} NaN or infinite`;
}

/** Of no weight and no mask: what is left of a training that diverged, or of an overflow. */
function isBroken(number: number): boolean {
  return !(number < Number.POSITIVE_INFINITY);
}

function readersOf(graph: Graph): Map<Value, (readonly [Node, number])[]> {
  const readers = new Map<Value, (readonly [Node, number])[]>();
  for (const node of graph.nodes) {
    node.inputs.forEach((value, index) => {
      if (!value) return;
      const known = readers.get(value);
      if (known) known.push([node, index]);
      else readers.set(value, [[node, index]]);
    });
  }
  return readers;
}

function matching(pattern: string, names: readonly string[], option: string): string[] {
  const fits = names.includes(pattern) ? (name: string) => name === pattern : namePattern(pattern);
  const found = names.filter(fits);
  if (found.length > 0) return found;
  const literal = pattern.replaceAll('*', '');
  throw new LimbeckError('compile.no-such-parameter', `no float initializer fits '${pattern}'`, {
    where: option,
    remedy:
      names.length > 0
        ? `Did you mean ${nearestNames(literal, names)}?`
        : 'The model has no float32 initializers: nothing in it can learn.',
  });
}
