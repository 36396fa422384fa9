import { z } from 'zod';
import type { Graph } from '../onnx/graph.ts';
import { base64Of, fromBase64 } from '../platform/bytes.ts';
import type { FourBitForm } from './blockwise.ts';
import type { AffineParameters } from './int8.ts';

/** Among a model's metadata: scales and zero points that it was trained with, for whoever quantises it. */
const KEY = 'limbeck.quantisation';

const keptSchema = z.object({
  activations: z.record(
    z.string(),
    z.object({ scale: z.number().positive(), zeroPoint: z.int().min(0).max(255) }),
  ),
  weights: z.record(z.string(), z.array(z.number().positive())),
  fourBit: z
    .object({
      block: z.union([z.literal(16), z.literal(32), z.literal(64), z.literal(128)]),
      expand: z.enum(['load', 'run']),
      /** float32, little-endian, in base64: they are many. */
      steps: z.record(z.string(), z.base64()).optional(),
    })
    .optional(),
});

/** How weights of 4 bits are kept that a training has fitted to it. */
export interface TrainedBlocks extends Pick<FourBitForm, 'block' | 'expand'> {
  /** Learnt scales, by `blocksKey`; without them the largest weights of blocks decide. */
  readonly steps?: ReadonlyMap<string, Float32Array> | undefined;
}

/** What a training with fake quantisation has found. */
export interface TrainedQuantization {
  /** Scale and zero point of activations, by name. */
  readonly activations: ReadonlyMap<string, AffineParameters>;
  /** Learnt scales of weights, by the name of the weights; of others it is their largest weight that decides. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Where it was trained with weights of 4 bits instead: how they are kept, and the scales of their blocks. */
  readonly fourBit?: TrainedBlocks | undefined;
}

/** The graph with what its training with fake quantisation has found, which a file keeps as well. */
export function withQuantization(
  graph: Graph,
  { activations, weights, fourBit }: TrainedQuantization,
): Graph {
  const kept: z.infer<typeof keptSchema> = {
    activations: Object.fromEntries(activations),
    weights: Object.fromEntries([...weights].map(([name, scales]) => [name, [...scales]])),
    ...(fourBit && { fourBit: keptBlocks(fourBit) }),
  };
  return { ...graph, metadata: new Map([...graph.metadata, [KEY, JSON.stringify(kept)]]) };
}

/** The same without: a file that was quantised holds its scales itself. */
export function withoutQuantization(graph: Graph): Graph {
  if (!graph.metadata.has(KEY)) return graph;
  return { ...graph, metadata: new Map([...graph.metadata].filter(([key]) => key !== KEY)) };
}

/** What a graph was trained with; undefined for one that was not, or whose metadata say something else. */
export function keptQuantization({ metadata }: Graph): TrainedQuantization | undefined {
  const text = metadata.get(KEY);
  if (text === undefined) return undefined;
  const kept = keptSchema.safeParse(parsed(text));
  if (!kept.success) return undefined;
  return {
    activations: new Map(Object.entries(kept.data.activations)),
    weights: new Map(
      Object.entries(kept.data.weights).map(([name, scales]) => [name, Float32Array.from(scales)]),
    ),
    ...(kept.data.fourBit && { fourBit: readBlocks(kept.data.fourBit) }),
  };
}

type KeptBlocks = NonNullable<z.infer<typeof keptSchema>['fourBit']>;

function keptBlocks({ block, expand, steps }: TrainedBlocks): KeptBlocks {
  const kept =
    steps &&
    [...steps].map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      base64Of(new Uint8Array(buffer, byteOffset, byteLength)),
    ]);
  return { block, expand, ...(kept && { steps: Object.fromEntries(kept) }) };
}

function readBlocks({ block, expand, steps }: KeptBlocks): TrainedBlocks {
  const read =
    steps &&
    Object.entries(steps).map(
      // A copy, for bytes that were read may lie anywhere in memory.
      ([name, text]) => [name, new Float32Array(new Uint8Array(fromBase64(text)).buffer)] as const,
    );
  return { block, expand, ...(read && { steps: new Map(read) }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
