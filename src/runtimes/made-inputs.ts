import { LimbeckError } from '../errors.ts';
import type { DataType } from '../onnx/data-type.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { elementCount, type Tensor, tensor, zeros } from '../onnx/tensor.ts';
import { randomStream } from '../random.ts';
import type { Feeds } from './measurement.ts';

/** Tokens of a made text, unless it is said otherwise. */
const SEQUENCE = 32;
const CALLS = 16;
const MOST_ELEMENTS = 2 ** 28;

/** Calls that are made from what a graph says of its inputs. */
export interface MadeCalls {
  readonly one: readonly Feeds[];
  /** Empty for a model of which any input has a fixed number of samples. */
  readonly many: readonly Feeds[];
  /** What was assumed, for people. */
  readonly assumed: readonly string[];
}

/**
 * Makes inputs for a model of which no samples are known: random numbers from 0 to 1, token ids below the number of rows of the
 * table that they look into, masks of ones.
 *
 * @param sizes numbers for symbolic sizes; the first size of every input is its samples, and a sequence has 32 tokens where
 *   nothing else is said
 * @param rows samples of the larger calls
 * @throws LimbeckError `measure.sizes` for a size that is open, `measure.model` for an input that cannot be made
 */
export function madeCalls(graph: Graph, sizes: Readonly<Record<string, number>>, rows: number): MadeCalls {
  const inputs = graph.inputs.filter((input) => !graph.initializers.has(input));
  const open = new Set(inputs.flatMap(({ shape = [] }) => shape.filter((dim) => typeof dim === 'string')));
  const unknown = Object.keys(sizes).find((name) => !open.has(name));
  if (unknown !== undefined) {
    throw new LimbeckError('measure.sizes', `the model has no symbolic size '${unknown}'`, {
      where: '--size',
      remedy: open.size > 0 ? `It has ${[...open].join(', ')}.` : 'All its sizes are numbers.',
    });
  }
  const assumed: string[] = [];
  // One input that takes a fixed number of samples fixes it for all.
  const isOpen = inputs.every(({ shape: [batch] = [] }) =>
    batch === undefined ? true : typeof batch === 'string' && sizes[batch] === undefined,
  );
  const sizeOf = (input: Value, place: number, samples: number): number => {
    const dim = input.shape?.[place] as number | string;
    if (typeof dim === 'number') return dim;
    const given = sizes[dim];
    if (given !== undefined) return given;
    if (place === 0) return samples;
    if (/seq|length|tokens?$|time/i.test(dim)) {
      const told = `'${dim}' is ${SEQUENCE}: another with --size ${dim}=N`;
      if (!assumed.includes(told)) assumed.push(told);
      return SEQUENCE;
    }
    throw new LimbeckError('measure.sizes', `the model leaves the size '${dim}' of '${input.name}' open`, {
      where: `its shape is [${input.shape?.join(', ')}]`,
      remedy: `Say it: --size ${dim}=N.`,
    });
  };
  const callsOf = (samples: number) =>
    Array.from({ length: CALLS }, (_, call) =>
      Object.fromEntries(
        inputs.map((input) => {
          if (!input.shape) throw unmade(input, 'its shape is not told');
          const dims = input.shape.map((_, place) => sizeOf(input, place, samples));
          return [input.name, madeTensor(graph, input, dims, call)];
        }),
      ),
    );
  return { one: callsOf(1), many: isOpen ? callsOf(rows) : [], assumed };
}

function madeTensor(graph: Graph, input: Value, dims: readonly number[], call: number): Tensor {
  const count = elementCount(dims);
  if (!(count <= MOST_ELEMENTS)) throw unmade(input, `it has ${count} elements`);
  const random = randomStream(1, 'made inputs', input.name, call);
  const type = input.type as DataType;
  if (type === 'float32')
    return tensor(
      type,
      dims,
      Float32Array.from({ length: count }, () => random.uniform()),
    );
  const isMask = /mask/i.test(input.name);
  const rows = isMask ? 2 : rowsLookedInto(graph, input);
  const idOf = () => (isMask ? 1 : Math.floor(random.uniform() * rows));
  if (type === 'int64')
    return tensor(
      type,
      dims,
      BigInt64Array.from({ length: count }, () => BigInt(idOf())),
    );
  if (type === 'int32') return tensor(type, dims, Int32Array.from({ length: count }, idOf));
  if (type === 'uint8')
    return tensor(
      type,
      dims,
      Uint8Array.from({ length: count }, () => Math.floor(random.uniform() * 256)),
    );
  if (type === 'float16' || type === 'bool' || type === 'float64') return zeros(type, dims);
  throw unmade(input, `nothing is made of type ${type}`);
}

/** The rows of the smallest table that takes this input as its indices; 2 where there is none (token types, flags). */
function rowsLookedInto(graph: Graph, input: Value): number {
  const tables = graph.nodes.flatMap(({ opType, inputs: [table, indices] }) => {
    const kept = table && graph.initializers.get(table);
    return opType === 'Gather' && indices === input && kept ? [kept.dims[0] as number] : [];
  });
  return tables.length > 0 ? Math.min(...tables) : 2;
}

function unmade(input: Value, problem: string): LimbeckError {
  return new LimbeckError('measure.model', `no input '${input.name}' can be made: ${problem}`, {
    where: 'an ONNX file alone',
    remedy: "Measure a run's folder: its own samples are used.",
  });
}
