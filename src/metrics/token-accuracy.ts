import { type Metric, metric } from './metric.ts';
import { columnOf, type OutputOptions, rowOf } from './output-rows.ts';

/**
 * Tokens with the right class / tokens with a class: logits [rows, tokens, classes] against int32 [rows, tokens], negative
 * where a token has none.
 */
export function tokenAccuracy({
  labels = 'labels',
  title = 'token accuracy',
}: OutputOptions & { readonly title?: string } = {}): Metric {
  return metric<{ right: number; counted: number }>({
    name: 'tokenAccuracy',
    title,
    better: 'higher',
    format: 'percent',
    start: () => ({ right: 0, counted: 0 }),
    add(state, answers, { filled, columns }) {
      const classes = answers.dims[2] as number;
      const truths = columnOf(columns, labels);
      for (let row = 0; row < filled; row++) {
        const logits = rowOf(answers, row) as Float32Array;
        const truth = rowOf(truths, row) as Int32Array;
        for (let token = 0; token < truth.length; token++) {
          if ((truth[token] as number) < 0) continue;
          const own = logits.subarray(token * classes, (token + 1) * classes);
          let best = 0;
          for (let c = 1; c < classes; c++) if ((own[c] as number) > (own[best] as number)) best = c;
          state.counted++;
          if (best === truth[token]) state.right++;
        }
      }
    },
    value: ({ right, counted }) => (counted > 0 ? right / counted : Number.NaN),
  });
}
