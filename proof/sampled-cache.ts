import { KEPT, lmStudent } from './lm-runs.ts';
import { type Proof, SEEDS } from './proof.ts';
import { gradientErrors } from './sampled-gradients.ts';
import { markdownTable, percents, spreadOf } from './statistics.ts';

/** Draws whose gradients are averaged: one more row of the table each. */
const AVERAGED = [1, 4, 16, 64] as const;

/** Drawn tokens of a teacher's answers beside its likeliest ones, at equal bytes: gradients, and students. */
export const sampledCache: Proof = {
  name: 'sampled-cache',
  title: 'What is kept of a language model: drawn tokens beside the likeliest',
  async run(log) {
    const errors = await gradientErrors(Math.max(...AVERAGED), log);
    const rows = [
      ['gradient', 'distance to the gradient with all logits, %'],
      ...AVERAGED.map((count) => [
        count === 1 ? KEPT.sampled.title : `the mean over ${count} draws`,
        (100 * (errors.sampled[count - 1] as number)).toFixed(1),
      ]),
      [KEPT.likeliest.title, (100 * errors.likeliest).toFixed(1)],
    ];
    const [first, last] = [errors.sampled[0], errors.sampled.at(-1)] as [number, number];
    const expected = first / Math.sqrt(errors.sampled.length);
    const gains: number[] = [];
    for (const seed of SEEDS) {
      const sampled = await lmStudent('sampled', seed, log);
      const likeliest = await lmStudent('likeliest', seed, log);
      const perplexity = ({ result }: typeof sampled) => result.student.metrics.perplexity as number;
      gains.push(1 - perplexity(sampled) / perplexity(likeliest));
    }
    const { mean, deviation } = spreadOf(gains);
    return {
      table: markdownTable(rows),
      text:
        `Gradients of the loss \`nextTokenKd\` by all weights of the student of recipes/lm.yaml, as it is drawn, on ${errors.texts} entries (${errors.tokens} tokens) that the teacher answers (models/wordnet-lm, int8): the norm of what differs from the gradient with all logits, as a part of that gradient's norm. ` +
        'An estimate without bias comes nearer by the square root of the draws that are averaged; one with a bias does not. ' +
        `Students: 3 seeds of recipes/lm.yaml, both forms at most 98 bytes a token.`,
      claims: [
        {
          text: `the mean of ${errors.sampled.length} draws is as near as a mean without bias is, within a factor of 1.5 (${(100 * last).toFixed(2)} %; ${(100 * expected).toFixed(2)} % expected)`,
          holds: last <= 1.5 * expected,
        },
        {
          text: `it is nearer than the likeliest tokens, whose bias no averaging takes away`,
          holds: last < errors.likeliest,
        },
        {
          text: `the student of drawn tokens has a lower test perplexity than that of the likeliest, by more than the spread (${percents(gains)} %)`,
          holds: mean > deviation,
        },
      ],
    };
  },
};
