import type { Value } from '../onnx/graph.ts';
import { float32, type Tensor } from '../onnx/tensor.ts';
import type { FakeNumbers } from './fake-numbers.ts';
import type { GraphRewriter } from './graph-rewriter.ts';

/** A learnt step is never smaller than this part of the one that it began as. */
const LEAST_STEP = 1 / 64;

/** The sizes of steps between levels, which are trained. */
export interface LearntStep {
  /** float32, with the sizes of what it began as. */
  readonly scale: Value;
  /** The same numbers, to the last bit, of what a training left under its names. */
  read(contents: ReadonlyMap<string, Float32Array>): Float32Array;
}

/**
 * Steps that are trained ("Learned Step Size Quantization", Esser et al., arXiv 1902.08153), as a factor of what they began as, so
 * that an optimizer like Adam changes large and small ones by the same part.
 */
export class LearntSteps {
  readonly #names: string[] = [];
  readonly #rewriter: GraphRewriter;
  readonly #numbers: FakeNumbers;

  constructor(rewriter: GraphRewriter, numbers: FakeNumbers) {
    this.#rewriter = rewriter;
    this.#numbers = numbers;
  }

  /** What a training has to change. */
  get names(): readonly string[] {
    return this.#names;
  }

  /**
   * `first` times a factor that begins as 1. Its gradient is scaled by 1 / sqrt(elements * levels), as in section 2.2 of the paper.
   *
   * @param elements that share a step
   * @param levels on one side of 0
   */
  step(stem: string, first: Tensor, elements: number, levels: number): LearntStep {
    const numbers = this.#numbers;
    const base = `quantisation/${stem}`;
    const { dims } = first;
    const start = first.data as Float32Array;
    const change = this.#rewriter.initializer(
      `${base}/change`,
      float32(new Float32Array(start.length), dims),
    );
    this.#names.push(change.name);
    const part = 1 / Math.sqrt(Math.max(1, elements) * levels);
    const slow = numbers.op('Mul', [change, numbers.scalar(part)], `${base}/slow`, dims);
    const rest = numbers.op('Mul', [numbers.stopped(change), numbers.scalar(1 - part)], `${base}/rest`, dims);
    // The same number as the change, up to rounding; a part of its gradient. What ships has to be these bits.
    const both = numbers.op('Add', [slow, rest], `${base}/both`, dims);
    const factor = numbers.op('Add', [both, numbers.scalar(1)], `${base}/factor`, dims);
    const limited = numbers.op('Max', [factor, numbers.scalar(LEAST_STEP)], `${base}/limited`, dims);
    const initial = this.#rewriter.initializer(`${base}/first`, first);
    const scale = numbers.op('Mul', [limited, initial], `${base}/step`, dims);
    const [slowPart, restPart] = [Math.fround(part), Math.fround(1 - part)];
    return {
      scale,
      read: (contents) =>
        start.map((value, i) => {
          const by = contents.get(change.name)?.[i] ?? 0;
          const sum = Math.fround(Math.fround(by * slowPart) + Math.fround(by * restPart));
          return Math.fround(Math.max(Math.fround(sum + 1), LEAST_STEP) * value);
        }),
    };
  }
}
