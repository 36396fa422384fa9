import type { Split } from '../../data/split.ts';
import type { LabelSpace } from '../../knowledge/label-space.ts';
import type { Tensor } from '../../onnx/tensor.ts';
import type { Head } from '../../targets/head.ts';
import { readKnowledge, splitBatches } from '../batches/sample-batches.ts';
import { unansweredRows } from '../batches/unanswered.ts';
import type { RunContext } from '../context/run-context.ts';

const ROWS = 256;
/** Of fewer samples it may be true that all are alike. */
const FEWEST = 8;
/** Numbers that are equal to so many digits say the same: as many as are kept of them. */
const SAME = { float32: 1e-6, float16: 1e-3, 'float16-centred': 1e-3 } as const;

/**
 * Warns of a teacher that says the same of every sample: one class, the same vector, no box anywhere. Nothing can be learnt
 * from it, and nobody else would notice where there are no labels. Of a teacher that does not, a batch or two are read.
 *
 * @param answers by output
 */
export function tellConstantAnswers(
  run: Pick<RunContext, 'warn' | 'checkInterrupted'>,
  heads: readonly Head[],
  split: Split,
  { answers, unit }: { readonly answers: ReadonlyMap<string, LabelSpace>; readonly unit: string },
): void {
  for (const head of heads) {
    const space = answers.get(head.output);
    if (!space) continue;
    const constant = new ConstantAnswers(head);
    for (const batch of splitBatches(split, ROWS)) {
      run.checkInterrupted();
      constant.add(readKnowledge(space, batch), batch.filled);
      if (constant.differ) break;
    }
    const same = constant.found();
    if (same === undefined) continue;
    const of = heads.length > 1 ? ` of '${head.output}'` : '';
    run.warn(
      `the teacher says the same${of} of all ${constant.samples} ${split.name} ${unit} that it answered: ${same}. Nothing can be learnt from that: check that it was made for such ${unit}, that they come to it as it was trained (tokenizer, preprocessing), and what it is asked`,
    );
  }
}

/** Whether the answers to samples say anything different, looked at until they do. */
export class ConstantAnswers {
  readonly #head: Pick<Head, 'target' | 'space'>;
  /** Of the parts of an answer: those of the first sample, what they say, and whether all others are like them. */
  #parts: { first: Float32Array; said: string | undefined; sameWords: boolean; sameNumbers: boolean }[] = [];
  samples = 0;

  constructor(head: Pick<Head, 'target' | 'space'>) {
    this.#head = head;
  }

  /** @param answers [rows, ...], of which the first `filled` count; NaN where there is none */
  add(answers: Tensor, filled: number): void {
    const { target } = this.#head;
    const none = unansweredRows(answers, filled);
    const values = answers.data as Float32Array;
    const width = values.length / (answers.dims[0] as number);
    const size = width / (target.answerParts?.length ?? 1);
    for (let row = 0; row < filled; row++) {
      if (none?.[row] === 1) continue;
      this.samples++;
      for (let part = 0; part * size < width; part++) {
        const start = row * width + part * size;
        this.#look(part, values.subarray(start, start + size));
      }
    }
  }

  /** Whether every part differs from sample to sample: what follows cannot change that. */
  get differ(): boolean {
    return (
      this.#parts.length > 0 && this.#parts.every(({ sameWords, sameNumbers }) => !sameWords && !sameNumbers)
    );
  }

  /** What is said of every sample, in words; undefined where answers differ, or are too few to tell. */
  found(): string | undefined {
    if (this.samples < FEWEST) return undefined;
    const parts = this.#parts.flatMap(({ said, sameWords, sameNumbers, first }, i) => {
      if (!sameWords && !sameNumbers) return [];
      const name = this.#head.target.answerParts?.[i];
      const what =
        (sameWords ? said : undefined) ??
        (first.length === 1 ? `the number ${first[0]}` : 'the same numbers');
      return [name === undefined ? what : `${what} for the ${name}`];
    });
    return parts.length > 0 ? parts.join(', ') : undefined;
  }

  #look(part: number, answer: Float32Array): void {
    // A side that is missing says nothing.
    if (this.#head.target.answerParts && answer.every((value) => value === 0)) return;
    const { target, space } = this.#head;
    const known = this.#parts[part];
    if (!known) {
      const said = target.saying?.(answer, space);
      this.#parts[part] = { first: answer.slice(), said, sameWords: said !== undefined, sameNumbers: true };
      return;
    }
    if (known.sameNumbers) known.sameNumbers = areSame(known.first, answer, SAME[target.encoding]);
    if (known.sameWords) known.sameWords = target.saying?.(answer, space) === known.said;
  }
}

function areSame(a: Float32Array, b: Float32Array, tolerance: number): boolean {
  if (a.length !== b.length) return false;
  const most = a.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return a.every((value, i) => Math.abs(value - (b[i] as number)) <= tolerance * most);
}
