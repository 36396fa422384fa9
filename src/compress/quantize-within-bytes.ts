import { LimbeckError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';

export interface WithinBytesOptions {
  /** Names of the layers that may have weights of 4 bits. */
  readonly layers: readonly string[];
  /** The graph with these layers' weights in 4 bits, and all others as they would be. */
  readonly quantize: (fourBit: readonly string[]) => Graph;
  /** How good a graph is; higher is better. As fine as can be: of most layers, accuracy would say nothing. */
  readonly evaluate: (graph: Graph) => Promise<number>;
  /** Bytes of a graph's file. */
  readonly sizeOf: (graph: Graph) => number;
  /** Bytes of the file that ships, where that is another one: `sizeOf` only tells what a layer saves then. */
  readonly shippedSizeOf?: (graph: Graph) => Promise<number>;
  /** Bytes that the file may take. */
  readonly maxBytes: number;
  /** Called after each layer. */
  readonly onLayer?: (done: number, total: number) => void;
}

/** What a layer costs in 4 bits, beside the same graph without. */
export interface FourBitCost {
  readonly layer: string;
  /** How much of the score it costs; below 0 is a gain (noise, mostly). */
  readonly loss: number;
  /** Bytes that it saves. */
  readonly saved: number;
}

export interface QuantizedWithinBytes {
  readonly graph: Graph;
  readonly bytes: number;
  /** Layers with weights of 4 bits, the cheapest first. */
  readonly fourBit: readonly string[];
  /** Every layer that would become smaller, the cheapest first; empty where nothing had to. */
  readonly costs: readonly FourBitCost[];
}

/**
 * A graph within so many bytes: as it is where it fits, else with layers in 4 bits, those first that cost the least score for
 * a byte saved, one more at a time until it fits.
 *
 * @throws LimbeckError `export.too-large` where all layers in 4 bits are not small enough, with the bytes that they take
 */
export async function quantizeWithinBytes(options: WithinBytesOptions): Promise<QuantizedWithinBytes> {
  const { layers, quantize, evaluate, sizeOf, maxBytes, onLayer } = options;
  const shippedSizeOf = options.shippedSizeOf ?? sizeOf;
  const whole = quantize([]);
  const bytes = await shippedSizeOf(whole);
  if (bytes <= maxBytes) return { graph: whole, bytes, fourBit: [], costs: [] };
  const own = sizeOf(whole);
  const saved = new Map(layers.map((layer) => [layer, own - sizeOf(quantize([layer]))]));
  const smaller = layers.filter((layer) => (saved.get(layer) as number) > 0);
  const smallest = await shippedSizeOf(quantize(smaller));
  if (smallest > maxBytes) {
    throw new LimbeckError(
      'export.too-large',
      `the student takes ${bytes} bytes in int8 and ${smallest} with 4-bit weights, more than the ${maxBytes} allowed`,
      {
        where: 'export.int8.maxBytes',
        remedy:
          'Allow more, make the student smaller, or let more layers be quantised with a larger `export.int8.maxDrop`.',
      },
    );
  }
  const reference = await evaluate(whole);
  const costs: FourBitCost[] = [];
  for (const [done, layer] of smaller.entries()) {
    const loss = reference - (await evaluate(quantize([layer])));
    costs.push({ layer, loss, saved: saved.get(layer) as number });
    onLayer?.(done + 1, smaller.length);
  }
  // A gain is noise: then the larger saving is the cheaper one. A layer that breaks the network (NaN) comes last.
  const price = ({ loss, saved }: FourBitCost) =>
    Number.isNaN(loss) ? Number.POSITIVE_INFINITY : Math.max(0, loss) / saved;
  costs.sort((a, b) => (price(a) === price(b) ? b.saved - a.saved : price(a) - price(b)));
  for (let count = 1; ; count++) {
    const fourBit = costs.slice(0, count).map(({ layer }) => layer);
    const graph = quantize(fourBit);
    const size = await shippedSizeOf(graph);
    if (size <= maxBytes || count >= costs.length) return { graph, bytes: size, fourBit, costs };
  }
}
