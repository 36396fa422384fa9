import type { Precision } from './precisions.ts';

/** A sample as somebody has it who reads a shipped student. */
export type ReaderInput =
  /** `pair`: the second text of a pair. `tokens`: of how many tokens answers are compared, where that is not all of the sample's. */
  | { readonly text: string; readonly pair?: string; readonly tokens?: number }
  | {
      /** Bytes [channels, height, width]. */
      readonly pixels: Uint8Array;
      readonly dims: readonly [channels: number, height: number, width: number];
    }
  /** At the rate that preprocessor_config.json says; between -1 and 1. */
  | { readonly waveform: Float32Array };

/** The class that a reader tells, and its probability. */
export interface ReaderAnswer {
  readonly label: string;
  readonly score: number;
}

/** One model file of a shipped folder, opened by something that knows nothing but the folder. */
export interface ShippedReader {
  /** The answers to a batch. */
  classify(inputs: readonly ReaderInput[]): Promise<ReaderAnswer[]>;
  close(): Promise<void>;
}

/** What opens shipped folders. */
export interface ReaderKind {
  /** With its version: `@huggingface/transformers 4.3.1`. */
  readonly title: string;
  open(file: ShippedFile): Promise<ShippedReader>;
}

/** A model file of a shipped folder. */
export interface ShippedFile {
  readonly folder: string;
  readonly task: string;
  readonly precision: Precision;
  /** Threads inside one operator. */
  readonly threads: number;
}
