import { repetition } from '../../generate/repetition.ts';
import { type Tensor, tensor } from '../../onnx/tensor.ts';
import type { StudentText } from './replayed-texts.ts';

/** What one step did besides its training. */
export interface WritingStep {
  /** The texts that were written for it; undefined where none were. */
  readonly written?: readonly StudentText[];
  /** Whether it was taught by texts of the student, new or kept ones. */
  readonly isOnPolicy: boolean;
  readonly secondsWriting: number;
  readonly secondsJudging: number;
}

/** Texts of which more than this share repeats are told to the person. */
const MUCH_REPEATED = 0.5;
/** Sums over the steps since the last row. */
const SUMS = ['steps', 'onPolicy', 'texts', 'tokens', 'repetition', 'ended', 'writing', 'judging'] as const;
type Sums = Record<(typeof SUMS)[number], number>;

/** Watches what a student writes during its training: how long its texts are, how much of them repeats, what writing takes. */
export class WritingWatch {
  readonly #endIds: readonly number[];
  readonly #warn: (message: string) => void;
  #sums: Sums = zeros();
  #since = performance.now();
  #told = false;
  #shares = { writing: 0, judging: 0 };

  constructor(endIds: readonly number[], warn: (message: string) => void) {
    this.#endIds = endIds;
    this.#warn = warn;
  }

  add({ written = [], isOnPolicy, secondsWriting, secondsJudging }: WritingStep): void {
    const sums = this.#sums;
    sums.steps++;
    if (isOnPolicy) sums.onPolicy++;
    sums.writing += secondsWriting;
    sums.judging += secondsJudging;
    for (const { ids, promptLength } of written) {
      const own = ids.subarray(promptLength);
      sums.texts++;
      sums.tokens += own.length;
      sums.repetition += repetition(own);
      if (this.#endIds.includes(own.at(-1) as number)) sums.ended++;
    }
    const seconds = Math.max(1e-9, (performance.now() - this.#since) / 1000);
    this.#shares = { writing: sums.writing / seconds, judging: sums.judging / seconds };
  }

  /** A few words beside a progress bar. */
  note(): string {
    const { writing, judging } = this.#shares;
    return `${percent(writing)} of the time writing, ${percent(judging)} in the teacher`;
  }

  /**
   * Numbers for a row of metrics, since the last one: `on_policy/share` of the steps, `on_policy/tokens` of a text on average, the shares
   * of `on_policy/repetition` and of texts that `on_policy/ended`, the shares of time for `on_policy/writing` and `on_policy/judging`.
   */
  metrics(): Record<string, number> {
    const { steps, onPolicy, texts, tokens, repetition: repeated, ended } = this.#sums;
    const { writing, judging } = this.#shares;
    this.#sums = zeros();
    this.#since = performance.now();
    if (steps === 0) return {};
    const times = { 'on_policy/writing': writing, 'on_policy/judging': judging };
    if (texts === 0) return { 'on_policy/share': onPolicy / steps, ...times };
    if (repeated / texts > MUCH_REPEATED && !this.#told) {
      this.#told = true;
      this.#warn(
        `the student's texts repeat themselves (${percent(repeated / texts)} of their stretches of four tokens): its teacher judges what is hardly text. Lower training.onPolicy.temperature, or train it on documents first`,
      );
    }
    return {
      'on_policy/share': onPolicy / steps,
      'on_policy/tokens': tokens / texts,
      'on_policy/repetition': repeated / texts,
      'on_policy/ended': ended / texts,
      ...times,
    };
  }

  save(): Tensor {
    return tensor(
      'float64',
      [SUMS.length],
      Float64Array.from(SUMS, (name) => this.#sums[name]),
    );
  }

  restore(state: Tensor | undefined): void {
    if (!state) return;
    this.#sums = Object.fromEntries(SUMS.map((name, i) => [name, state.data[i]])) as Sums;
  }
}

function zeros(): Sums {
  return Object.fromEntries(SUMS.map((name) => [name, 0])) as Sums;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
