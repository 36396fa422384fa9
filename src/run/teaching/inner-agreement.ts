import { SEQUENCE } from '../../data/columns.ts';
import { tokenSpans } from '../../data/modalities/text/tokenizer/token-spans.ts';
import type { Split } from '../../data/split.ts';
import { LimbeckError } from '../../errors.ts';
import { MeanCosine } from '../../knowledge/mean-cosine.ts';
import { hasLength, withoutPadding } from '../../knowledge/true-length.ts';
import type { KnowledgeRequest } from '../../teachers/knowledge-request.ts';
import type { Teacher, TeacherOutput } from '../../teachers/teacher.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { openModel } from './ask-model.ts';
import { TEACHER_BATCH } from './ask-teacher.ts';
import type { TrainedTeacher } from './trained-teacher.ts';

/** Validation samples on which the inner values of both teachers are compared. */
export const INNER_SAMPLES = 256;

/** How the inner values of the int8 teacher stand to those of its float32 original. */
export interface InnerAgreement {
  /** The mean cosine of the tap that agrees least (`MeanCosine`). */
  readonly cosine: number;
  readonly tap: string;
  readonly samples: number;
}

/**
 * Compares what both forms of a teacher have inside, on some hundred samples of the validation split.
 *
 * @returns why the int8 form cannot be asked, where it has no such values: they became integers, or a gradient is wanted
 */
export async function innerAgreement(
  run: RunContext,
  data: TaskData,
  teacher: Pick<TrainedTeacher, 'title' | 'file' | 'labellingFile'>,
  requests: readonly KnowledgeRequest[],
): Promise<InnerAgreement | { readonly because: string }> {
  const { validation } = data.dataset.splits;
  const asked = { outputs: [], requests };
  let int8: Teacher;
  try {
    int8 = await openModel(run, data, teacher, { ...asked, file: teacher.labellingFile });
  } catch (error) {
    if (!(error instanceof LimbeckError)) throw error;
    return { because: error.message };
  }
  try {
    const float32 = await openModel(run, data, teacher, { ...asked, file: teacher.file });
    try {
      return await compare(run, data.task.unit, validation, float32, int8);
    } finally {
      await float32.close();
    }
  } finally {
    await int8.close();
  }
}

async function compare(
  run: RunContext,
  unit: string,
  split: Split,
  float32: Teacher,
  int8: Teacher,
): Promise<InnerAgreement | { readonly because: string }> {
  const taps = Object.keys(float32.outputs);
  const shapes = ({ outputs }: Teacher) => taps.map((tap) => `${outputs[tap]?.dims}`).join('; ');
  if (shapes(float32) !== shapes(int8)) return { because: 'its inner values are of other shapes' };
  const cosines = new Map<string, MeanCosine>();
  let samples = 0;
  for (const batch of splitBatches(split, TEACHER_BATCH)) {
    if (samples >= INNER_SAMPLES) break;
    run.checkInterrupted();
    const said = [await float32.label(batch, taps), await int8.label(batch, taps)] as const;
    const spans = tokenSpans(batch);
    for (const tap of taps) {
      const { dims } = float32.outputs[tap] as TeacherOutput;
      const last = dims.at(-1);
      // What all places have in common says nothing: it is taken off where places are comparable.
      const width = typeof last === 'number' && last !== 1 ? last : undefined;
      const mean = cosines.get(tap) ?? new MeanCosine(width);
      cosines.set(tap, mean);
      const [a, b] = said.map((values) => values[tap] as Float32Array) as [Float32Array, Float32Array];
      const size = a.length / batch.filled;
      for (let row = 0; row < batch.filled; row++) {
        const own = (values: Float32Array) => {
          const whole = values.slice(row * size, (row + 1) * size);
          if (!spans || !hasLength(dims)) return whole;
          const [start, length] = [spans.starts[row] as number, spans.lengths[row] as number];
          return withoutPadding(whole, dims, { padded: batch.sizes[SEQUENCE] as number, start, length });
        };
        mean.add(own(a), own(b));
      }
    }
    samples += batch.filled;
    const total = Math.min(INNER_SAMPLES, split.size);
    const done = Math.min(samples, total);
    run.emit({
      type: 'progress',
      stage: 'label',
      task: "reading the teacher's layers in both forms",
      done,
      total,
      unit,
    });
  }
  const [least] = [...cosines]
    .map(([tap, mean]) => ({ tap, cosine: mean.value(), samples }))
    .sort((a, b) => a.cosine - b.cosine);
  return least ?? { because: 'there are no samples to compare them on' };
}
