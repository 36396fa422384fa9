import { z } from 'zod';
import { FURTHER_PRECISIONS, PRECISIONS, type Precision } from '../export/precisions.ts';

const count = z.number().nonnegative();
const fraction = z.number().min(0).max(1);
const milliseconds = z.number().nonnegative();

/** Where samples leave a network: at one of its exits, or, last, at its end. */
const exitSchema = z.object({
  /** The layer that the exit follows; absent for the end. */
  layer: z.string().optional(),
  /** The least confidence by which a sample leaves; null where none does, and for the end. */
  threshold: fraction.nullable(),
  /** Products that a sample costs which leaves here. */
  multiplications: count,
  /** Part of the samples of the validation split, by which thresholds were chosen, and of the test split, that leaves here. */
  validationShare: fraction,
  share: fraction,
  /** Of the test samples that leave here: right answers / samples; null where none does. */
  accuracy: fraction.nullable(),
  /** If all test samples left here: right answers / samples. */
  accuracyOfAll: fraction,
  /** Mean wall time of one sample that leaves here, measured on the same samples for every exit. */
  latencyMs: milliseconds,
});

/** What leaving by some thresholds comes to on the test split. */
const pointSchema = z.object({
  thresholds: z.array(fraction.nullable()),
  accuracy: fraction,
  /** The mean of the exits' latencies by their shares. */
  latencyMs: milliseconds,
});

/** A network with exits in one precision. */
const formSchema = z.object({
  /** In the order in which a sample comes to them, the end last. */
  exits: z.array(exitSchema).min(2),
  /** Right answers / samples of the split on which thresholds were chosen: with exits, and to the end for every sample. */
  validation: z.object({ accuracy: fraction, toTheEnd: fraction, samples: count }),
  /** The same of the test split. */
  test: z.object({ accuracy: fraction, toTheEnd: fraction, samples: count }),
  /** Mean wall time of one test sample in a call of its own, in milliseconds: of the network with exits, and of the same without. */
  latencyMs: z.object({ mean: milliseconds, toTheEnd: milliseconds, samples: count }),
  /** Over thresholds from the fastest to the slowest, all of which were found on the validation split. */
  curve: z.array(pointSchema),
});
export type ExitFormResult = z.infer<typeof formSchema>;

/** How samples leave a student with early exits. */
export const exitsResultSchema = z.object({
  confidence: z.enum(['probability', 'margin', 'entropy']),
  /** The accuracy that leaving early was allowed to cost on the validation split. */
  maxDrop: fraction,
  model: formSchema,
  quantized: formSchema.optional(),
  further: z.partialRecord(z.enum(FURTHER_PRECISIONS), formSchema).optional(),
});
export type ExitsResult = z.infer<typeof exitsResultSchema>;

/** What exits do in each precision, in sentences: for a model card, and for a terminal. */
export function exitLines(exits: ExitsResult | undefined): string[] {
  if (!exits) return [];
  const forms = exitForms(exits);
  if (forms.length === 1) return [exitsSentence(exits.model)];
  return forms.map(({ title, form }) => `in ${title} ${exitsSentence(form)}`);
}

/** The network in each of its precisions. */
export function exitForms({
  model,
  quantized,
  further = {},
}: Pick<ExitsResult, 'model' | 'quantized' | 'further'>): {
  readonly title: string;
  readonly form: ExitFormResult;
}[] {
  const forms = { f32: model, int8: quantized, ...further };
  return Object.entries(forms).flatMap(([precision, form]) =>
    form ? [{ title: PRECISIONS[precision as Precision].title, form }] : [],
  );
}

/** `1.9 times lower mean latency (0.82 instead of 1.56 ms), 0.1 points less accuracy than to the last layer`. */
export function exitsSentence({ latencyMs, test }: Pick<ExitFormResult, 'latencyMs' | 'test'>): string {
  const { mean, toTheEnd } = latencyMs;
  const points = 100 * (test.accuracy - test.toTheEnd);
  const change =
    Math.abs(points) < 0.05
      ? 'the same accuracy as'
      : `${Math.abs(points).toFixed(1)} points ${points < 0 ? 'less' : 'more'} accuracy than`;
  const times = toTheEnd / Math.max(mean, 1e-9);
  const latency =
    times >= 1 ? `${times.toFixed(1)} times lower` : `${(1 / Math.max(times, 1e-9)).toFixed(1)} times higher`;
  return `${latency} mean latency (${mean.toPrecision(2)} instead of ${toTheEnd.toPrecision(2)} ms a sample), ${change} to the last layer for every sample`;
}
