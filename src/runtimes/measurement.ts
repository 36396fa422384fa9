import type { Tensor } from '../onnx/tensor.ts';

/** The runtimes that a model is timed in: ONNX Runtime in Node, and onnxruntime-web in a headless browser. */
export const RUNTIMES = ['node', 'wasm', 'webgpu'] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

export type Feeds = Readonly<Record<string, Tensor>>;

/** What is asked of a runtime: one model, the calls that it is timed with, and those whose answers are wanted. */
export interface Assignment {
  /** The model in one piece: its weights are in it. */
  readonly model: Uint8Array;
  readonly threads: number;
  /** How long each kind of call is timed, in seconds. */
  readonly seconds: number;
  /** Calls of one sample, taken in turn, and of many; the latter empty for a model that takes one sample at a time. */
  readonly one: readonly Feeds[];
  readonly many: readonly Feeds[];
  /** Calls of which the outputs are given back. */
  readonly answered: readonly Feeds[];
  /** The outputs that are given back; all of them when absent. */
  readonly outputs?: readonly string[];
  /** Whether only the answers are wanted, and nothing is timed. */
  readonly untimed?: boolean;
  /** Whether ONNX Runtime is to note how long each operator of each call takes; times of calls are worth nothing then. */
  readonly profiled?: boolean;
}

/** What a runtime says. Milliseconds and bytes. */
export interface InPlace {
  /** From nothing to a runtime that can load models, and from then to the loaded model. */
  readonly startMs: number;
  readonly loadMs: number;
  /** The first call of one sample, and all later ones. */
  readonly firstMs: number;
  readonly one: readonly number[];
  readonly many: readonly number[];
  readonly answers: readonly Feeds[];
}

export interface Ran extends InPlace {
  /** The runtime, its version and its device, as it names them. */
  readonly title: string;
  readonly warnings: readonly string[];
  /** Where it was asked for: what ONNX Runtime noted, an event a line. */
  readonly profile?: readonly string[];
  /** Whether it computes on the processor what is meant for a graphics card: its times say nothing of one. */
  readonly isSoftware?: boolean;
  /** The most memory that its process held, where that is told. */
  readonly peakBytes?: number;
}

/** The middle and the slow ends of many times, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly calls: number;
}

/** Percentiles by nearest rank. */
export function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] as number;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), calls: sorted.length };
}
