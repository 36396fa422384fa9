import type { DataType } from '../onnx/data-type.ts';
import type { Shape } from '../onnx/graph.ts';
import type { Tensor } from '../onnx/tensor.ts';

/** Where a graph runs. */
export type Provider = 'cpu' | 'cuda' | 'webgpu' | 'wasm';

export interface SessionOptions {
  /** Threads inside one operator; the machine's cores by default. */
  threads?: number;
  /**
   * Whether a thread that waits for work keeps its core busy (true). It answers a little faster so; but where several
   * sessions take turns, each one's waiting threads take the cores from the next (docs/measurements.md).
   */
  spinning?: boolean;
  /**
   * Whether a block as large as all that a run takes is kept for the next one (true). Small models answer some 5 % faster so;
   * a training step takes 1.7 times the memory (docs/performance.md).
   */
  memoryPattern?: boolean;
  /**
   * Whether the outputs that callers give are large, as the state of a training step (false): then they are written without
   * a copy, where the engine can.
   */
  largeFetches?: boolean;
  /**
   * Whether several runs are made at once (false), each in its part of the threads: then `Session.runsAtOnce` says how many
   * are worth it. Of many small batches more get done so than with all threads on one (docs/performance.md).
   */
  parallel?: boolean;
  /**
   * Whether runs are made in another thread, so that the one that calls goes on (false): a training prepares its next batch
   * meanwhile, and other stages go on. Where the engine cannot, they block as always.
   */
  background?: boolean;
  /**
   * Whether its runs take their memory from the same block as those of other sessions that say so (false): for sessions that take
   * turns. Each block is as large as the largest run that it had, and is given back with the last of its sessions.
   */
  sharedMemory?: boolean;
  /**
   * Outputs that a run may write over an input of it (none): exactly where the input is, and where its caller knows that
   * nothing reads the input after the output is computed. Any other overlap is an error.
   */
  overwrites?: ReadonlySet<string>;
  /** Path prefix of an ORT profile to write (time per operator); it is complete once the session is released. */
  profile?: string;
  /** What errors call the model, e.g. `the teacher`; a model's path by default. */
  title?: string;
}

/** A model's input as its file declares it. */
export interface InputMetadata {
  readonly name: string;
  readonly type: DataType;
  readonly shape: Shape;
}

/** A loaded model, ready to run. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Whether every run loads the model anew, part by part (false): then it is timed on single runs. */
  readonly loadsEachRun?: boolean;
  /** Of the inputs that are tensors; absent where the engine does not tell (onnxruntime-web before 1.22). */
  readonly inputMetadata?: readonly InputMetadata[];
  /** How many runs get more done at once than one after another; 1 when absent. More than that wait for each other. */
  readonly runsAtOnce?: number;
  /**
   * Runs the model once. Feeds are read in place. `fetches` names the outputs to compute; a tensor there is written
   * in place (it must not share memory with a feed of the same call), null asks for a new one.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches?: Readonly<Record<string, Tensor | null>>,
  ): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** An ONNX Runtime, in Node or in a browser. */
export interface Engine {
  /** For people and for cache keys: `onnxruntime-node 1.30.0, cpu`. */
  readonly title: string;
  readonly provider: Provider;
  /** Loads a serialized model. Throws LimbeckError `engine.load` with ORT's message. */
  load(model: Uint8Array | string, options?: SessionOptions): Promise<Session>;
}
