import { type Metric, metric } from './metric.ts';
import { columnOf, rowOf } from './output-rows.ts';
import { SCORES } from './token-scores.ts';

export interface NextTokenOptions {
  /** The column int32 [rows, tokens] with the tokens that come; negative where none is asked for. */
  readonly labels: string;
  /** The column float32 [rows] with the bytes of text that a row's tokens stand for. */
  readonly bytes: string;
}

interface Sums {
  /** Nats. */
  loss: number;
  right: number;
  tokens: number;
  bytes: number;
}

type Definition = Pick<Metric, 'name' | 'title' | 'better' | 'format'> & {
  readonly from: (sums: Sums) => number;
};

/** A mean over all tokens of a split, of `tokenScores`. */
function overTokens({ from, ...info }: Definition, { labels, bytes }: NextTokenOptions): Metric {
  return metric<Sums>({
    ...info,
    start: () => ({ loss: 0, right: 0, tokens: 0, bytes: 0 }),
    add(state, scores, { filled, columns }) {
      const truths = columnOf(columns, labels);
      const lengths = columnOf(columns, bytes).data as Float32Array;
      for (let row = 0; row < filled; row++) {
        const truth = rowOf(truths, row) as Int32Array;
        const own = rowOf(scores, row) as Float32Array;
        for (let token = 0; token < truth.length; token++) {
          if ((truth[token] as number) < 0) continue;
          state.loss += own[token * SCORES] as number;
          state.right += own[token * SCORES + 1] as number;
          state.tokens++;
        }
        state.bytes += lengths[row] as number;
      }
    },
    value: (sums) => (sums.tokens > 0 ? from(sums) : Number.NaN),
  });
}

/** e to the mean cross-entropy of a token: among how many tokens, all as likely, the model chooses as it were. */
export function perplexity(options: NextTokenOptions): Metric {
  const from = ({ loss, tokens }: Sums) => Math.exp(loss / tokens);
  return overTokens(
    { name: 'perplexity', title: 'perplexity', better: 'lower', format: 'number', from },
    options,
  );
}

/** Cross-entropy in bits for each byte of text: comparable between models with different tokens. */
export function bitsPerByte(options: NextTokenOptions): Metric {
  const from = ({ loss, bytes }: Sums) => loss / Math.LN2 / bytes;
  return overTokens(
    { name: 'bitsPerByte', title: 'bits per byte', better: 'lower', format: 'number', from },
    options,
  );
}

/** Tokens that the model finds likeliest / tokens. */
export function nextTokenAccuracy(options: NextTokenOptions): Metric {
  const from = ({ right, tokens }: Sums) => right / tokens;
  return overTokens(
    { name: 'tokenAccuracy', title: 'token accuracy', better: 'higher', format: 'percent', from },
    options,
  );
}
